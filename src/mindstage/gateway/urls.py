"""The addresses of narrators."""

from django.urls import path

from mindstage.gateway import views

urlpatterns = [
    path("models/", views.index, name="models"),
    path("models/<str:model_id>/installation/", views.installation, name="installation"),
]
