"""The ways of asking, one for each family of models."""

from __future__ import annotations

from mindstage.prompts.inputs import Dialect

CHATML_MARKS = ("<|im_end|>", "<|im_start|>")

# For models that follow instructions. It says who plays whom, then how long, then what brackets mean.
CHAT = Dialect(
    name="chat",
    instructions=(
        "You narrate an interactive story together with one person. The person plays {{user}}. "
        "You play the world and everyone else in it: {names}.\n"
        "Answer what {{user}} has just said or done, let it have consequences, and carry the scene a step further. "
        "Stay with what {{user}} can see, hear and feel. Never speak, act, think or decide for {{user}}; "
        "stop where {{user}} has something to answer or to choose.\n"
        "Keep the names, facts, tense, point of view and tone of the story so far. Give each character a voice of "
        "their own. Prefer concrete detail and speech to summary. Write one to three paragraphs of prose: no headings, "
        "no lists, no remarks about yourself or these instructions.\n"
        "Text in [square brackets] is a note from the author: follow it, and do not narrate it."
    ),
)

# 1.5 billion parameters: it keeps to a scene, answers too briefly, slips into "I" and into the person's part.
STORY_1_5B = Dialect(
    name="story-1.5b",
    instructions=(
        "You are the narrator of a story. You play {names} and the world. A person plays {{user}}. "
        "Never write what {{user}} says, thinks or does. Describe the others in the third person, by name. "
        "Text in [brackets] is a note from the author."
    ),
    reminder="Go on with the story in two full paragraphs. Leave the words and acts of {{user}} to {{user}}.",
    prefills=True,
    max_card_words=160,
    keyed_share=15,
    examples_share=15,
    marks=CHATML_MARKS,
)

# 135 million parameters: it passes over long lists of rules, and reads some 100 tokens a second on one core. What is
# new in each turn (keyed lore most of all) is kept short, so that the first word comes soon. No brackets: it answers in
# brackets. Turns as messages, not as one running text to go on from: tried on two starters with two seeds each, the
# running text ended in dates, lists and "write this with different words" half of the time, messages never.
SMALL = Dialect(
    name="small",
    instructions="Write the next part of this story. You play {names}. Do not write for {{user}}.",
    recall="Remember: {}",
    closing="{}",
    prefills=True,
    headings=False,
    max_card_words=60,
    lore_share=20,
    keyed_share=10,
    examples_share=10,
    marks=CHATML_MARKS,
)

DIALECTS = {dialect.name: dialect for dialect in (CHAT, STORY_1_5B, SMALL)}


def dialect_named(name: str) -> Dialect:
    """The dialect of that name; whatever is unknown is spoken to as a general chat model."""
    return DIALECTS.get(name, CHAT)
