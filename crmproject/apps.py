from django.apps import AppConfig


class CrmProjectConfig(AppConfig):
    name = "crmproject"
    verbose_name = "Access"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - registers itself
