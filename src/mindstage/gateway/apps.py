from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "mindstage.gateway"
    label = "gateway"

    def ready(self) -> None:
        from mindstage.datamap.holdings import register
        from mindstage.gateway.holdings import GatewayHolding

        register(GatewayHolding())
