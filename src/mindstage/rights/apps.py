from django.apps import AppConfig


class RightsConfig(AppConfig):
    name = "mindstage.rights"
    label = "rights"
