"""The addresses of stories. Their identifiers say nothing; no title, name or text is ever in an address."""

from django.urls import path

from mindstage.stories.views import branches, stage, stories, turns

urlpatterns = [
    path("", stories.home, name="home"),
    path("stories/", stories.index, name="stories"),
    path("stories/<uuid:ident>/", stories.show, name="story"),
    path("stories/<uuid:ident>/trash/", stories.trash, name="story_trash"),
    path("stories/<uuid:ident>/names/", stories.update, name="story_names"),
    path("stories/<uuid:ident>/stage/", stage.update, name="story_stage"),
    path("stories/<uuid:ident>/scenario/", stage.keep, name="story_keep"),
    path("stories/<uuid:ident>/lorebook/", stage.keep_lore, name="story_keep_lore"),
    path("stories/<uuid:ident>/turns/", turns.index, name="turns"),
    path("stories/<uuid:ident>/turns/<uuid:turn>/", turns.show, name="turn"),
    path("stories/<uuid:ident>/turns/<uuid:turn>/replies/", turns.draw, name="replies"),
    path("stories/<uuid:ident>/turns/<uuid:turn>/variants/", turns.add_version, name="variants"),
    path("stories/<uuid:ident>/turns/<uuid:turn>/choice/", turns.choose, name="choice"),
    path("stories/<uuid:ident>/turns/<uuid:turn>/trash/", turns.trash, name="trash"),
    path("stories/<uuid:ident>/turns/<uuid:turn>/trash/undo/", turns.undo_trash, name="trash_undo"),
    path("stories/<uuid:ident>/turns/<uuid:turn>/end/", turns.end, name="turn_end"),
    path("stories/<uuid:ident>/turns/<uuid:turn>/branches/", turns.branch, name="branches"),
    path("stories/<uuid:ident>/branches/<uuid:segment>/", branches.play, name="branch"),
    path("stories/<uuid:ident>/branches/", branches.index, name="story_branches"),
    path("stories/<uuid:ident>/draft/", turns.draft, name="draft"),
    path("stories/<uuid:ident>/context/", turns.context, name="context"),
]
