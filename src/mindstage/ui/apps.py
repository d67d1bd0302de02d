from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "mindstage.ui"
    label = "ui"
