from django.apps import AppConfig


class StoriesConfig(AppConfig):
    name = "mindstage.stories"
    label = "stories"
