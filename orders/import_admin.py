"""Files of orders and rewards in the admin: how far each has got, and which rows were not taken."""

from django.contrib import admin
from django.utils.html import format_html

from loyalty.admin_site import ReadOnlyAdmin
from orders.models import FileImport, RejectedLine


@admin.register(FileImport)
class FileImportAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "file_name",
        "kind",
        "state",
        "progress",
        "rows",
        "added",
        "updated",
        "known",
        "rejected",
        "created_at",
    )
    list_display_links = ("id", "file_name")
    list_filter = ("kind", "state", "created_at")
    search_fields = ("id__exact", "file_name__startswith")
    search_help_text = "An id, or the beginning of a file name."
    fields = (*list_display[1:], "problem", "line", "attempts", "leased_until", "finished_at")

    @admin.display(description="progress")
    def progress(self, file_import: FileImport) -> str:
        return format_html('<progress max="100" value="{0}"></progress>&nbsp;{0}&nbsp;%', file_import.percent)


@admin.register(RejectedLine)
class RejectedLineAdmin(ReadOnlyAdmin):
    list_display = ("file_import", "line", "name", "reason")
    list_select_related = ("file_import",)
    ordering = ("-file_import_id", "line")
    search_fields = ("file_import__id__exact",)
    search_help_text = "The id of a file's import."
    fields = list_display
