"""The evening that the pictures of the README show: lines and replies, written for it."""

from __future__ import annotations

BELL = (
    (
        "Do",
        "I take the pliers, and turn them round so that the handles point at her again.",
        """She looks at the handles for as long as one looks at a bill.

“No,” says Marit. “That’s the one thing I don’t do. I pour, I break the mould, I file the lip. The clapper is hung by \
whoever wants the house to have a voice.” She wipes her hands down her apron, twice, although they are clean. “I’ve \
never had to say that to anyone. People know.”

Outside somebody goes by with a lantern and does not look in, rather carefully.""",
    ),
    (
        "Say",
        "Then whose house is it for? I sleep above the inn. I have a hook and half a window.",
        """“I thought of the inn.” She has taken up the brush again and is sweeping a part of the floor that has \
no clay on it. “The inn has its bell. Everybody has theirs. I went through the valley in my head last night, \
door by door, the way you do with the post, and I came out at sixty-one. And then I was still walking.”

She stops. The brush stands on its bristles by itself a moment before it falls.

“There’s only one house above the last one,” she says, “and it has been lying on its back since before you were \
born.”""",
    ),
    (
        "Do",
        "I unroll the sock and hold the clapper up to the frost on the window.",
        """It is no longer than a finger, and heavier than it has any right to be. Against the grey light you can see \
that the ball is not quite round: there are four shallow dents along one side and a fifth across from them, as if the \
iron had been picked up, while it was soft, by a very small hand.

Marit does not come closer. “I saw them too,” she says. “On the fifth mould. I told myself it was the cat.”

“You haven’t got a cat.”

“*No*,” says Marit Sool. “That was the weak part of it.”

Up on the hill road, where no house stands, a door closes.""",
    ),
)

CABLE = (
    "Say",
    "Ask it who it is.",
    """Idris takes his hand off the lever one finger at a time. Then he begins to key, slowly, like somebody knocking \
at a door behind which a child may be asleep.""",
)

GOAT = (
    "Do",
    "I second the motion, and ask the chair to put it to the vote.",
    """The goat considers the motion, and then the paper that the motion is written on. There is a silence such as \
the hall has not known since the business with the raffle.""",
)

HEDDA = {
    "name": "Hedda Quill",
    "description": "{{char}} keeps the toll gate.",
    "personality": "Dry, exact.",
    "scenario": "A bridge in rain.",
    "first_mes": "“Two coins, or a reason.”",
    "mes_example": "",
    "creator_notes": "She keeps the toll gate on a bridge that nobody has to use. For rainy evenings.",
    "creator": "the Mindstage tests",
}
