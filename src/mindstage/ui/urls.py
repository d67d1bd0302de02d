"""What pages link besides pages."""

from django.urls import path

from mindstage.ui.serving import asset

urlpatterns = [path("static/<str:name>", asset, name="asset")]
