"""The addresses of what people may ask for: their data, its export, its end; and the policy."""

from __future__ import annotations

from django.urls import URLPattern, path

from mindstage.datamap.schema import PLACE
from mindstage.rights.views import consents, policy, well_known

urlpatterns: list[URLPattern] = [
    path("policy/", policy.show, name="policy"),
    path("policy/changes/", policy.changes, name="policy_changes"),
    path("policy/feed/", policy.feed, name="policy_feed"),
    path("policy/<int:number>/", policy.version, name="policy_version"),
    path("policy/<int:number>/changes.json", policy.difference, name="policy_difference"),
    path("policy/<int:number>/notice/", policy.notice, name="policy_notice"),
    path(".well-known/data-map.json", well_known.data_map, name="data_map"),
    path(".well-known/gpc.json", well_known.gpc, name="gpc"),
    path(PLACE.lstrip("/"), well_known.data_map_schema, name="data_map_schema"),
    path("your-data/consents/", consents.show, name="consents"),
    path("your-data/consents/<str:purpose>/", consents.update, name="consent"),
]
