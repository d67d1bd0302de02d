from django.apps import AppConfig


class RightsConfig(AppConfig):
    name = "mindstage.rights"
    label = "rights"

    def ready(self) -> None:
        from mindstage.datamap.holdings import register
        from mindstage.datamap.permission import answer_with
        from mindstage.rights.consents import may
        from mindstage.rights.erasure_holding import ErasureHolding
        from mindstage.rights.export_holdings import ExportsHolding
        from mindstage.rights.holdings import RightsHolding

        register(RightsHolding())
        register(ErasureHolding())
        register(ExportsHolding())
        answer_with(may)
