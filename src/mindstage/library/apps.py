from django.apps import AppConfig


class LibraryConfig(AppConfig):
    name = "mindstage.library"
    label = "library"

    def ready(self) -> None:
        from mindstage.datamap.holdings import register
        from mindstage.datamap.trash import register_trash
        from mindstage.library.holdings import LibraryHolding
        from mindstage.library.trash import CharactersTrash, MaterialsTrash

        register(LibraryHolding())
        register_trash(CharactersTrash())
        register_trash(MaterialsTrash())
