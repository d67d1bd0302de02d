from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "mindstage.ops"
    label = "ops"

    def ready(self) -> None:
        from mindstage.datamap.holdings import register
        from mindstage.ops.holdings import JobsHolding

        register(JobsHolding())
