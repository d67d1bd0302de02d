from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "mindstage.accounts"
    label = "accounts"
