"""The addresses of what people may ask for: their data, its export, its end; and the policy."""

from __future__ import annotations

from django.urls import URLPattern, path

from mindstage.datamap.schema import PLACE
from mindstage.rights.views import ages, consents, erasures, exports, policy, receipts, trash, well_known, your_data

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
    path("your-data/age/", ages.update, name="age_band"),
    path("your-data/consents/", consents.show, name="consents"),
    path("your-data/consents/<str:purpose>/", consents.update, name="consent"),
    path("your-data/exports/", exports.index, name="exports"),
    path("your-data/exports/<uuid:ident>/end/", exports.end, name="export_end"),
    path("your-data/imports/", exports.bring, name="imports"),
    path(".well-known/mindstage-signing-key", exports.signing_key, name="signing_key"),
    path("your-data/", your_data.show, name="your_data"),
    path("your-data/freeze/", your_data.freeze, name="freeze"),
    path("your-data/freeze/end/", your_data.thaw, name="freeze_end"),
    path("your-data/erasures/", erasures.index, name="erasures"),
    path("your-data/erasures/end/", erasures.cancel, name="erasure_end"),
    path("your-data/receipt/", receipts.show, name="receipt"),
    path("your-data/receipt/check/", receipts.check, name="receipt_check"),
    path("your-data/receipt/check/offline/", receipts.offline, name="receipt_offline"),
    path("trash/", trash.index, name="trash_page"),
    path("trash/empty/", trash.empty, name="trash_end"),
    path("trash/<uuid:item>/undo/", trash.undo, name="item_undo"),
    path("trash/<uuid:item>/end/", trash.end, name="item_end"),
]
