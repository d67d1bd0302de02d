"""Every page with sample contexts, and a narrator that answers from a list: the look and the scripts without the rooms.

The names of the variables here are the contract between views and templates.
"""

from ui.gallery.stage import STORY, Stage, TurnView, stage

__all__ = ["STORY", "Stage", "TurnView", "stage"]
