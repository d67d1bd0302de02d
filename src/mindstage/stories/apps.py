from django.apps import AppConfig


class StoriesConfig(AppConfig):
    name = "mindstage.stories"
    label = "stories"

    def ready(self) -> None:
        from mindstage.datamap.holdings import register
        from mindstage.datamap.trash import register_trash
        from mindstage.stories.holdings import StoriesHolding
        from mindstage.stories.trash import StoriesTrash
        from mindstage.stories.turn_trash import TurnsTrash

        register(StoriesHolding())
        register_trash(StoriesTrash())
        register_trash(TurnsTrash())
