from orders.import_command import ImportCommand


class Command(ImportCommand):
    help = "Import rewards from CSV or JSON Lines; a used or expired one is updated, known ones stay."
    kind = "rewards"
