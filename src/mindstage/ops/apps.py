from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "mindstage.ops"
    label = "ops"
