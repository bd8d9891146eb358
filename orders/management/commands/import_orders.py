from orders.import_command import ImportCommand


class Command(ImportCommand):
    help = "Import orders from CSV or JSON Lines; those that are known already are left as they are."
    kind = "orders"
