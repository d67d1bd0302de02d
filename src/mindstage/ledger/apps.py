from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "mindstage.ledger"
    label = "ledger"
