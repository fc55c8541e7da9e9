from django.apps import AppConfig


class CrmProjectConfig(AppConfig):
    name = "crmproject"
    verbose_name = "Access"
