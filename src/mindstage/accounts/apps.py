from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "mindstage.accounts"
    label = "accounts"

    def ready(self) -> None:
        from mindstage.accounts.access_counts import begin_counting
        from mindstage.accounts.holdings import AccountsHolding
        from mindstage.datamap.holdings import register

        register(AccountsHolding())
        begin_counting()
