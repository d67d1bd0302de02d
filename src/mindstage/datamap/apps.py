from django.apps import AppConfig
from django.core.checks import register


class DataMapConfig(AppConfig):
    name = "mindstage.datamap"
    label = "datamap"

    def ready(self) -> None:
        from mindstage.datamap.checks import check_data_map, check_policy

        register(check_data_map)
        register(check_policy)
