from django.apps import AppConfig


class LibraryConfig(AppConfig):
    name = "mindstage.library"
    label = "library"
