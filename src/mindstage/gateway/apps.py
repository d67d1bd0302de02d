from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "mindstage.gateway"
    label = "gateway"
