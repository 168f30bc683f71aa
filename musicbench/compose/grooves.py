"""The grooves of drums and percussion: what each drum may play in a bar.

A line of a groove is a drum and the patterns that it may play, one of which is drawn; "|" parts two bars. Signs: X
accented, x, o soft, ? now and then. A line that begins with "+" is played in some pieces only. How patterns fit other
meters: `musicbench.compose.rhythms`.
"""

_HATS = "x.x. x.x. x.x. x.x. / X.o. X.o. X.o. X.o. / x... x... x... x... / xoxo xoxo xoxo xoxo / x.xo x.xo x.xo x.xo / ..x. ..x. ..x. ..x."
_BACKBEAT = ".... X... .... X..."

GROOVES = {
    "rock": f"""
        kick: x... .... x... .... / x... ..x. x... .... / x... .... x.x. .... / x..x .... ..x. .... / x... ..x. ..x. ..x. / x.x. .... x.x. ....
        snare: {_BACKBEAT} / .... X..o .o.. X... / .... X... .... X..o / .... X.o. .... X.oo
        closed_hat: {_HATS}
        +tambourine: .... x... .... x... / x.x. x.x. x.x. x.x.
        +ride: x.x. x.x. x.x. x.x.""",
    "fast rock": """
        kick: x.x. .... x.x. .... / x... ..x. x... ..x. / x.x. ..x. x.x. ..x. / x... x... x... x...
        snare: .... X... .... X... / ..X. ..X. ..X. ..X. / .... X... ..x. X...
        open_hat: x... x... x... x... / x.x. x.x. x.x. x.x.
        +crash: X... .... .... ....""",
    "punk": """
        kick: x... ..x. x... ..x. / x.x. .... x.x. .... / x... .... x.x. .... / x... x... x... x...
        snare: ..X. ..X. ..X. ..X. / .... X... .... X... / .... X... .... X.x.
        open_hat: x.x. x.x. x.x. x.x. / x... x... x... x...
        +crash: x... .... x... ....""",
    "metal": """
        kick: xx.x xx.x xx.x xx.x / x.xx x.xx x.xx x.xx / xxxx .... xxxx .... / x.xx ..x. xx.x ..x. / x... x.xx .... x.xx / xxxx xxxx xxxx xxxx
        snare: .... X... .... X... / .... .... X... .... / .... X... .... X.x.
        china: x... x... x... x... / .... .... .... ....
        ride: x.x. x.x. x.x. x.x. / .... .... .... ....
        crash: X... .... .... .... / X... .... X... ....""",
    "blast": """
        kick: xxxx xxxx xxxx xxxx / x.x. x.x. x.x. x.x.
        snare: .x.x .x.x .x.x .x.x / X.X. X.X. X.X. X.X. / x.x. x.x. x.x. x.x.
        ride: x.x. x.x. x.x. x.x. / x... x... x... x...
        crash: X... .... .... .... / X... .... X... ....""",
    "half time": f"""
        kick: x... .... .... .... / x... ..x. .... .... / x..x .... .... ..x. / x... .... ..x. .x.. / x.x. .... .... ....
        snare: .... .... X... .... / .... .... X... ..o. / ...o .... X... ....
        closed_hat: {_HATS}""",
    "ballad": f"""
        kick: x... .... x... .... / x... .... ..x. .... / x... ..x. .... .... / x... .... x..x ....
        rim: {_BACKBEAT} / .... x... .... x..x
        closed_hat: {_HATS}
        +shaker: xoxo xoxo xoxo xoxo""",
    "four on the floor": """
        kick: X... X... X... X...
        clap: .... X... .... X... / .... X... .... X..x / .... .... .... .... / .... X... .... X.x.
        open_hat: ..x. ..x. ..x. ..x. / .... ..x. .... ..x. / ..x. ..x. ..x. ..xx
        +closed_hat: xx.x xx.x xx.x xx.x / xoxo xoxo xoxo xoxo / x..x x..x x..x x..x
        +tambourine: ..x. ..x. ..x. ..x. / xoxo xoxo xoxo xoxo
        +shaker: xoxo xoxo xoxo xoxo / x.xo x.xo x.xo x.xo""",
    "house": """
        kick: X... X... X... X...
        clap: .... X... .... X... / .... X... .... X..? / .... X... ...x X...
        open_hat: ..X. ..X. ..X. ..X. / ..X. ..X. ..X. ..Xx
        closed_hat: x..x x..x x..x x..x / .x.x .x.x .x.x .x.x / xx.x xx.x xx.x x..x / .... .... .... ....
        +rim: ...x ..x. ..x. .x.. / ..x. ...x ..x. ....  / ...x .... ..x. ..x.
        +conga_high: ..x. .x.. ..x. ...x / .x.. x..x ..x. x... 
        +shaker: xoXo xoXo xoXo xoXo""",
    "techno": """
        kick: X... X... X... X... / X... X... X... X..x / X... X... X..x X...
        closed_hat: ..X. ..X. ..X. ..X. / xxXx xxXx xxXx xxXx / .xX. .xX. .xX. .xX. / .... ..x. .... ..x.
        +clap: .... X... .... X... / .... .... .... X... / ...x .... ..x. ....
        +rim: ..x. .x.. x..x ..x. / x..x ..x. .x.. x.x. / ...x ..x. ...x ..x. / .x.. .x.. .x.. .xx.
        +tom_low: ...x .... ..x. ...x / .... ..x. .... .x.x / ..x. .... ..xx ....
        +ride: x... x... x... x... / ..x. ..x. ..x. ..x.""",
    "trance": """
        kick: X... X... X... X...
        clap: .... X... .... X... / .... X... .... X... | .... X... .... X.xx
        open_hat: ..X. ..X. ..X. ..X.
        closed_hat: xoXo xoXo xoXo xoXo / .... .... .... .... / x.xx x.xx x.xx x.xx
        +ride: x.x. x.x. x.x. x.x.
        +snare: .... .... .... ..xx / .... .... ...x ..x.""",
    "garage": """
        kick: X... .... ..x. .... / X... .... .... .x.. / X..x .... ..x. .... / X... .... ..x. .x..
        snare: .... X... .... X... / .... X... .... X..o / .... X... ...o X...
        closed_hat: ..x. .xx. ..x. .x.x / x.xx .xx. x.x. .xx. / ..X. ..X. .xX. ..Xx / .x.x ..x. .x.x ..xx
        +shaker: x.ox x.ox x.ox x.ox
        +rim: ...x .... .x.. ..x.""",
    "electro": """
        kick: X..x ..x. ..x. .... / X... ..x. ..xx .... / X..x ..x. .x.. .x.. / X.x. .... ..x. x...
        snare: .... X... .... X... / .... X..o .... X...
        closed_hat: x.xx x.xx x.xx x.xx / xxxx xxxx xxxx xxxx / x.x. xxx. x.x. xx.x
        +cowbell: x..x ..x. ..x. x... / ..x. ..x. x..x ....
        +clap: .... X... .... X...""",
    "hip hop": """
        kick: X... ...x ..x. .... / X.x. .... ..xx .... / X..x .... .xx. .... / X... ..x. .x.. .... / X... ..xx .... x... / X..x ..x. ..x. ...x / Xx.. .... .x.x .... 
        snare: .... X... .... X... / .... X..o .... X... / .... X... .o.. X..o / .... X.o. ...o X...
        closed_hat: x.x. x.x. x.x. x.x. / x.xx x.x. x.xx x.x. / xox. xox. xox. xoxo / x.x. x..x x.x. x.x. / x... x... x... x... / xxxx xxxx xxxx xxxx
        +open_hat: .... .... .... ..x. / .... ..x. .... ....
        +shaker: x.xo x.xo x.xo x.xo""",
    "trap": """
        kick: X... .... ..x. .... / X..x .... ..x. ..x. / X... ..x. .... .x.. / X.x. .... ...x .... / X... .... ...x ..x. / X... ...x .... x... / X..x ..x. .... ....
        snare: .... .... X... .... / .... .... X... ..?. / .... .... X... ...?
        closed_hat: x.x. x.x. x.x. xxxx / x.x. xxx x.x. x.xxxxxx / x.x. x.x. xxxxxx x.x. / xxx x.x. xxx x.x. / x.x. xx.x xxxxxxxx x.x. / x.xx x.x. x.xx xxx / xxxx xxxx xxxxxx xxxx / x.x. xxxxxxxx x.x. xxx
        open_hat: .... .... .... .... / .... ..x. .... .... / .... .... .... ..x.
        +clap: .... .... X... .... / .... .... X..x ....
        +rim: ...x .... .... x... / .... .x.. .... ..x.""",
    "drill": """
        kick: X... .... ..x. .... / X..x .... .... x... / X... ...x .... ..x. / X... .... ...x ..x.
        snare: .... ..X. .... X... / .... ...X .... X... / .... ..X. .... .X..
        closed_hat: x..x ..x. x..x ..x. / x..x ..x. xxx x.x. / x..x ..xx x..x xxx / x..x ..x. x..x xxxxxx
        +rim: ..x. .... ..x. ..xx / .... x... ...x ....""",
    "break": """
        kick: X.x. .... ..xx .... / X... ..x. .xx. .... / X..x .... ..x. ..x. / X.x. ...x ..x. .... / X... .... .xx. ..x. / Xx.. ..x. .x.. x...
        snare: .... X..o .o.. X..o / .... X..x .o.. X... / ..o. X..o .... X.o. / .... X... .x.. X..x
        closed_hat: x.x. x.x. x.x. x.x. / x.xo x.xo x.xo x.xo / xoxo xoxo xoxo xoxo
        +ride: x.x. x.x. x.x. x.x.""",
    "drum and bass": """
        kick: X... .... ..x. .... / X.x. .... ..x. .... / X... .... ..x. ..x. / X..x .... ..x. .... / X... ...x ..x. ....
        snare: .... X... .... X... / .... X..o .... X..o / .... X... .o.. X.o. / .... X..x .... X...
        closed_hat: x.x. x.x. x.x. x.x. / xxxx xxxx xxxx xxxx / x.xx x.xx x.xx x.xx / ..x. ..x. ..x. ..x.
        +ride: x.x. x.x. x.x. x.x. / ..x. ..x. ..x. ..x.
        +shaker: xoxo xoxo xoxo xoxo""",
    "jungle": """
        kick: X.x. .... ..x. .... / X.x. ...x .... ..x. / X... ..x. .x.. ..x. / X.x. .... .xx. x...
        snare: .... X..x .x.. X..x / ..x. X..x .... X..x / .... X..x .x.x ..X. / .x.. X... xx.. X..x / .... X.xx .x.. X.xx
        closed_hat: x.x. x.x. x.x. x.x. / xxx. xxx. xxx. xxxx / x.xx .xx. x.xx .xx.
        +ride: x.x. x.x. x.x. x.x.
        +conga_high: ..x. .x.x ..x. x.x.""",
    "dubstep": """
        kick: X... .... .... .... / X... ..x. .... .... / X..x .... .... ..x. / X... .... .... .xx. / X.x. .... .... ....
        snare: .... .... X... .... / .... .... X... ...o / .... ..o. X... ....
        closed_hat: x.x. x.x. x.x. x.x. / ..x. ..xx ..x. .xx. / xxx xxx xxx xxx / x..x ..x. x..x ..x.
        +open_hat: .... ..x. .... ..x.
        +rim: ...x .... .... x.x. / ..x. .x.. .... ..xx""",
    "funk": """
        kick: X.x. .... ..x. .... / X... ..x. ..xx .... / X..x .... .xx. .... / X.x. ...x ..x. ..x. / X... .x.. x.x. ....
        snare: .... X..o .o.. X..o / .... X..o .oo. X... / ..o. X.o. .o.o X..o / .o.. X..o .o.. X.oo
        closed_hat: xoxo xoxo xoxo xoxo / x.x. x.x. x.x. x.x. / xxox xoxx xoxx xoxo / Xooo Xooo Xooo Xooo
        +open_hat: .... ..x. .... .... / .... .... .... ..x.
        +cowbell: x... x... x... x... / x..x ..x. x..x ..x.
        +conga_high: ..x. ..xx ..x. .x.x
        +tambourine: .... x... .... x...""",
    "disco": """
        kick: X... X... X... X...
        snare: .... X... .... X... / .... X... .... X..o
        open_hat: ..X. ..X. ..X. ..X.
        closed_hat: x... x... x... x... / xx.x xx.x xx.x xx.x / x..x x..x x..x x..x
        +tambourine: x.x. x.x. x.x. x.x. / xoxo xoxo xoxo xoxo
        +clap: .... X... .... X...
        +conga_high: ..x. x.xx ..x. x..x
        +cowbell: ..x. ..x. ..x. ..x.""",
    "motown": """
        kick: X... ..x. x... .... / X... .... x.x. .... / X..x ..x. x... ..x.
        snare: X... X... X... X... / .... X... .... X... / .... X... .... X.x.
        closed_hat: x.x. x.x. x.x. x.x. / x... x... x... x...
        tambourine: .... x... .... x... / x.x. x.x. x.x. x.x. / .... .... .... ....
        +conga_high: ..x. ..xx ..x. ..xx""",
    "swing": """
        ride: x.. x.x x.. x.x / x.. x.x x.x x.x / x.x x.. x.x x.. / x.. x.. x.x x.x
        pedal_hat: ... x.. ... x..
        kick: o.. o.. o.. o.. / o.. ... ... ... / ... ... ..o ... / o.. ... ..x ...
        snare: ... ... ..o ... / ..o ... ... ..o / ... ..o ... ... / ... ... o.o ... / ... ... ... ... / ..x ... ..o o..
        +rim: ... ... ... x..""",
    "big band": """
        ride: X.. x.x X.. x.x / X.. x.x x.x x.x
        pedal_hat: ... X.. ... X..
        kick: x.. x.. x.. x.. / x.. ... x.. ..x
        snare: ... ..x ... ..x / ..x ... ..x x.. / ... ... ..x ..x / ... x.. ... x..
        +crash: ... ... ..X ... / ..X ... ... ... / X.. ... ... ...""",
    "brushes": """
        brush: x.. x.o x.. x.o / x... x.o. x... x.o. / o.x. o.x. o.x. o.x. / ... x.. ... x..
        pedal_hat: .... x... .... x...
        +kick: x... .... o... .... / o... o... o... o...
        +ride: x... x.o. x... x.o.""",
    "shuffle": """
        kick: X.. ... X.. ... / X.. ..x X.. ... / X.. ... X.. ..x / X.. ..x ..x ...
        snare: ... X.. ... X.. / ... X.. ..o X.. / ..o X.o ..o X.o
        closed_hat: x.x x.x x.x x.x / x.. x.x x.. x.x
        +ride: x.x x.x x.x x.x""",
    "twelve eight": """
        kick: X.. ... x.. ... / X.. ..x x.. ... / X.. ... ..x x..
        snare: ... X.. ... X.. / ... X.. ... X.o
        closed_hat: xxx xxx xxx xxx / Xoo Xoo Xoo Xoo
        +tambourine: ... x.. ... x..""",
    "rockabilly": """
        kick: X.. X.. X.. X.. / X.. ..x X.. ..x
        snare: ... X.. ... X.. / ..x X.. ..x X.. / ..x X.x ..x X.x
        ride: x.x x.x x.x x.x / x.. x.x x.. x.x""",
    "train": """
        snare: oXoX oXoX oXoX oXoX / ooXo ooXo ooXo ooXx / o.X. o.X. o.Xo o.X. / oxXo oxXo oxXo oxXx
        kick: x... x... x... x... / x... .... x... ....
        +closed_hat: ..x. ..x. ..x. ..x.""",
    "country": """
        kick: X... .... X... .... / X... ..x. X... .... / X... .... X.x. ....
        rim: .... X... .... X... / ..x. ..x. ..x. ..x.
        closed_hat: x.x. x.x. x.x. x.x. / x..x x..x x..x x..x
        +tambourine: .... x... .... x...""",
    "surf": """
        kick: X... ..x. X... .... / X... ..x. ..x. .... / X.x. .... X... ....
        snare: .... X.X. .... X... / .... X... ..X. X... / .... X.X. .... X.X.
        ride: x.x. x.x. x.x. x.x. / x... x... x... x...
        +tom_low: x.x. x.x. x.x. x.x.""",
    "one drop": """
        kick: .... .... X... .... / .... .... X... ...? 
        rim: .... .... X... .... / .... .... X..x ..x. / ...x .... X... .... / ..x. .... X... ..x.
        closed_hat: ..x. ..x. ..x. ..x. / x.x. x.x. x.x. x.xx / ..xo ..xo ..xo ..xo / x.xx x.x. x.xx x.x.
        +open_hat: .... .... .... ..x.
        +bongo_high: .... ..x. .... .xx.""",
    "steppers": """
        kick: X... X... X... X...
        rim: .... .... X... .... / ..x. .... X... .x.. / .... .... X..x ....
        closed_hat: ..x. ..x. ..x. ..x. / xoxo xoxo xoxo xoxo / x.xx x.x. x.xx x.x.
        +open_hat: .... ..x. .... ..x.""",
    "ska": """
        kick: X... .... X... .... / X... X... X... X... / X... ..x. X... ....
        snare: .... X... .... X... / .... X... .... X.x.
        closed_hat: ..X. ..X. ..X. ..X. / x.X. x.X. x.X. x.X. / x.Xo x.X. x.Xo x.X.
        +cowbell: ..x. ..x. ..x. ..x.""",
    "dancehall": """
        kick: X..x .... X..x .... / X... .... X... .... / X..x ..x. .... ....
        snare: ...X ..X. ...X ..X. / ...X .... ...X ..X. / .... ..X. ...X ..X.
        closed_hat: x.x. x.x. x.x. x.x. / ..x. ..x. ..x. ..x.
        +rim: ..x. x... ..x. x...""",
    "reggaeton": """
        kick: X... X... X... X... / X... X... X... X.x.
        snare: ...X ..X. ...X ..X. / ...X ..X. ...X .oX. / ...X ..Xo ...X ..X.
        closed_hat: x.x. x.x. x.x. x.x. / xxxx xxxx xxxx xxxx / .... .... .... .... / ..x. ..x. ..x. ..xx
        +shaker: xoxo xoxo xoxo xoxo
        +rim: ..x. ..x. ..x. .xx.""",
    "afrobeats": """
        kick: X... ...x ..x. .... / X... .... ..x. ..x. / X..x .... X..x .... / X... X... X... X...
        rim: ...x ..x. ..x. x... / x..x ..x. ..x. x... / ...x ..x. .... x..x / ..x. .x.. ..x. x...
        shaker: xoXo xoXo xoXo xoXo / x.xo x.xo x.xo x.xo
        +snare: .... .... .... X... / ...x ..x. .... ....
        +conga_high: ..x. .xx. ..x. .x.x / .x.x ..x. .x.. x.x.""",
    "afrobeat": """
        kick: X... ..x. .x.. x... / X..x ..x. ..x. ..x. / X.x. ...x ..x. .... / .x.. X... .x.. X..x
        snare: .... X..o .o.. X.o. / ..o. X..o .o.x ..o. / .o.. x..X .o.. x.oX
        closed_hat: x.xx x.xx x.xx x.xx / xxoX xxoX xxoX xxoX / ..x. ..x. ..x. ..x.
        shaker: x.xx x.xx x.xx x.xx / xoxo xoxo xoxo xoxo
        conga_high: ..x. .xx. ..x. .xx. / .x.x .... xx.. x.x.
        +clave: x..x ..x. ..x. x... / x..x ...x ..x. x...""",
    "bossa": """
        kick: x..x x..x x..x x..x / x... ..xx ...x x... / x..x x..x x... x..x
        rim: x..x ..x. ..x. .x.. / x..x ..x. ..x. x... | ..x. .x.. x..x ..x. / ..x. .x.. x..x ..x. / x..x ..x. ..x. .x.. | ..x. x... x..x ....
        closed_hat: xxxx xxxx xxxx xxxx / x.x. x.x. x.x. x.x. / xoxo xoxo xoxo xoxo
        +shaker: xoXo xoXo xoXo xoXo""",
    "samba": """
        surdo_low: x... X... x... X... / o..x X..o o..x X..o / x... X.o. x... X..x
        tambourine: X.xX .xX. X.xX .xX. / x.Xx .Xx. X.xX .x.X / .xX. x.Xx .X.x X.x.
        shaker: XooX XooX XooX XooX / xoxo xoxo xoxo xoxo / Xoxo Xoxo Xoxo Xoxo
        kick: x..x X..x x..x X..x / .... .... .... ....
        snare: xoXo oxXo xoXo oXox / oxoX oxoX oxXo xoxX / x.xx .x.x .xx. x.x.
        agogo_high: x... .... ..x. x... / x..x .... x.x. .... / .... .... .... ....
        agogo_low: ..xx .... x... ..x. / ..x. .x.. ...x .x.. / .... .... .... ....
        +cuica_high: .... x..x ..x. .... / x.x. .... ...x ..x.""",
    "salsa": """
        clave: x..x ..x. ..x. x... / ..x. x... x..x ..x. / x..x ...x ..x. x...
        conga_high: ..x. .... ..x. .... / x.x. x.x. x.x. .... / ...x x... ...x ....
        conga_slap: x..x .x.x x..x .x.. / x.x. .x.x x.x. .x.. / .x.. ..x. .x.. ..x.
        conga_low: .... .... .... x.x. / .... .... .... x.xx / ...x .... .... ..xx
        cowbell: X... x.x. X.x. x.x. / X.x. X.xx .x.x X.x. / x... x... x... x...
        timbale_high: x.xx .x.x x.xx x.x. / x.x. xx.x .xx. xx.x / .... .... .... ....
        maracas: x.xx x.xx x.xx x.xx / .... .... .... ....
        +guiro_short: x... x.x. x... x.x.
        +bongo_high: xoxo xoxo xoxo xoxo / x.xx x.xx x.xx x.xx""",
    "latin": """
        conga_high: x... x.x. .... x... / ..x. x..x ..x. .... / ..x. .x.x ..x. .x..
        conga_low: .... .... x... ..x. / .... .... .... x.x. / ...x .... .... ..xx
        clave: x..x ..x. ..x. x... / ..x. x... x..x ..x. / .... .... .... ....
        shaker: x.x. x.x. x.x. x.x. / xoxo xoxo xoxo xoxo / X.xx X.xx X.xx X.xx
        kick: x... .... x... .... / x..x .... x..x .... / .... .... .... ....
        +cowbell: x... x... x... x... / x.x. x.xx .x.x x.x.
        +timbale_high: .... ..x. .... ..xx""",
    "cha cha": """
        cowbell: x... x... x... x...
        guiro_short: x... x.x. x... x.x. / x... xx.. x... xx..
        conga_high: ..x. .... ..x. .... / x... .... x... ....
        conga_low: .... .... .... x.x. / .... .... .... X.X.
        kick: x... .... x... .... / .... .... .... ....
        +clave: x..x ..x. ..x. x... / ..x. x... x..x ..x.
        +maracas: x.x. x.x. x.x. x.x.""",
    "cumbia": """
        guiro_short: X.xx X.xx X.xx X.xx / x.XX x.XX x.XX x.XX
        kick: x... .... x... .... / x... X... x... X...
        conga_high: ..X. ..X. ..X. ..X. / ..X. ..xx ..X. .xx.
        conga_low: x... .... x..x .... / .... .... .... ..x.
        maracas: ..x. ..x. ..x. ..x. / .... .... .... ....
        +cowbell: x... x... x... x... / x.x. x.x. x.x. x.x.
        +timbale_high: .... .... .... x.xx""",
    "bolero": """
        bongo_high: x.x. xxx. x.x. x.x. / x.xx x.x. x.xx x.x. / x... x.x. x... x.x.
        bongo_low: .... .... .... ..x. / ..x. .... ..x. ....
        maracas: x.xx x.x. x.x. x.x. / x.x. x.x. x.x. x.x.
        +conga_low: .... .... .... x.x. / ..x. .... .... x...
        +clave: x..x ..x. ..x. x...""",
    "flamenco": """
        clap: x.X. x.X. x.X. x.X. / X.xX .xX. xX.x X.x. / ..X. ..X. .xX. ..XX / xxX. xxX. xxX. x.Xx
        woodblock_low: x... .... x..x .... / x..x .... x... .... / .... .... .... ....
        +castanets: xx.. x.x. xx.. x.x. / x.xx x.x. x.xx x...
        +conga_low: x... ..x. x... ..xx / x..x ..x. x..x ....""",
    "march": """
        snare: x.x. x.xx x.x. x.x. / x.oo x.x. x.oo xxxx / X.xx X.xx X.xx Xxxx / x... x.x. x... xxx. / xxx X.. xxx X.x / X.o. x.xx X.oo x.x.
        kick: X... .... X... .... / X... X... X... X... / X... .... X.x. ....
        crash: X... .... .... .... / .... .... .... .... / .... x... .... x...""",
    "polka": """
        kick: X... .... X... .... 
        snare: .... X... .... X... / .... X.x. .... X... / ..X. ..X. ..X. ..X. / ..x. .xx. ..x. .xx.
        closed_hat: x.x. x.x. x.x. x.x. / ..x. ..x. ..x. ..x.
        +triangle: x.x. x.x. x.x. x.x.""",
    "waltz": """
        kick: X... .... .... / X... .... ..x. / X... .... ....
        snare: .... x... x... / .... o... x.x. / .... x.o. x...
        closed_hat: x... x... x... / x.x. x.x. x.x. / .... x... x...
        +ride: x... x.x. x...""",
    "jig": """
        kick: X.. x.. / X.. ..x / X.. x.x / x.x x.x
        rim: ..x ..x / .xx .xx / x.x x.x / ..x x.x
        tambourine: Xox Xox / x.X x.X / xxx xxx / .... ....
        +snare: ... X.. / ..x X.x""",
    "reel": """
        kick: X... x... X... x... / X.x. .... X.x. .... / X..x ..x. X..x ..x.
        rim: x.xx x.xx x.xx x.xx / ..x. ..x. ..x. ..xx / x..x ..x. x..x ..x.
        +tambourine: xoXo xoXo xoXo xoXo / ..x. ..x. ..x. ..x.""",
    "odd": """
        kick: X... .... X... / X... x... X..x / X..x .... X... / X... .... X.x.
        snare: .... X... ..x. / .... .... X..x / ..x. X... ..x. / ..o. ..x. X.oo
        tambourine: x.x. x.x. x.x. / xoXo xoXo xoXo / .... .... ....
        tom_low: X... x... X... / .... .... .... / x... .... x...
        +clap: .... x... .... / ..x. ..x. ..x.""",
    "belly dance": """
        conga_low: X... .... x... .... / X... .... X... .... / X..X .... X... .... / X... X... .... x...
        conga_high: ..x. ..x. ..x. x.x. / .x.. x.x. .xx. x... / ..x. x..x ..x. x.x. / ...x ..x. ..x. xx..
        tambourine: xoxo xoxo xoxo xoxo / x.xx x.xx x.xx x.xx / .... .... .... ....
        +clap: ..x. ..x. ..x. ..x.
        +kick: X... .... X... ....""",
    "dhol": """
        tom_low: X... ..x. X... .... / X... .x.. x... x... / X..x ..x. X... ..x.
        tom_high: ..x. x.xx ..x. x.xx / x.xx x.xx x.xx x.xx / .xx. x.x. .xx. xx.x
        clap: .... x... .... x... / ..x. ..x. ..x. ..x. / .... .... .... ....
        +tambourine: x.xx x.xx x.xx x.xx
        +kick: X... X... X... X...""",
    "tabla": """
        tabla_ge: X... .... x... .... / X..x .... .... ..x. / X... ..x. .... x... / X.x. .... x..x .... / x.x. x.x. .... x.x.
        tabla_na: ..x. x.xx ..x. x.xx / x.xx .xx. x.xx .xx. / .xx. xx.x .x.x x.xx / x.x. xxxx x.x. xx.x / .x.x .x.x xx.x .x.x
        tabla_tin: .... .... ...x .... / ...x .... .... .x.. / .... .... ..x. ..x.
        tabla_te: .... ..x. .... .x.. / ...x .... ..xx .... / .... xx.. .... xx..""",
    "hand drums": """
        djembe_bass: X... .... X..x .... / X..x .... x... .... / X... ..x. .x.. x... / X.x. .... ..x. ....
        djembe_tone: ..xx .x.x ..xx .x.. / .xx. x.x. .xx. xx.x / ..x. xx.x ..x. xx.x
        djembe_slap: .... X... .... X... / ..x. .... ..x. .... / .... .... .... ..xx
        bongo_high: x.x. xxx. x.x. xxx. / .... .... .... .... / xoxo xoxo xoxo xoxo
        shaker: xoxo xoxo xoxo xoxo / x.xx x.xx x.xx x.xx / .... .... .... ....
        +clave: x..x ..x. ..x. x...
        +agogo_high: x..x ..x. .x.x ..x.""",
    "tropical": """
        kick: X... .... X..x .... / X..x ..x. X..x ..x. / X... X... X... X... / X... ..x. ..x. ....
        rim: ...x ..x. ...x ..x. / x..x ..x. ..x. x... / .... X... .... X...
        shaker: xoXo xoXo xoXo xoXo / x.xo x.xo x.xo x.xo
        conga_high: ..x. .x.x ..x. .xx. / .... .... .... .... / .x.. x.x. .x.. x..x
        +cowbell: x... x.x. x... x.x.
        +timbale_high: .... .... .... .xxx""",
    "toms": """
        tom_low: X..x ..x. x... .... / X... ..x. .... x... / X.xx X.xx X.xx X.xx / x..x ..x. .x.. x...
        tom_mid: .... .... x... .... / .... x... ..x. .x.. / ..x. .... ..x. ..xx
        kick: X... .... .... .... / X... .... X... ....
        +crash: X... .... .... ....""",
    "trailer": """
        kick: X... .... .... .... / X..x ..x. X... .... / X... ..x. ..x. .... / X... .... X... ..X.
        tom_low: X.xx X.xx X.xx X.xx / X..x ..x. X..x ..xx / Xxxx x.x. Xxxx x.x. / X... X... X... XxXx
        tom_mid: .... x... .... x... / ..x. ..x. ..x. .xx. / xoxo Xoxo xoxo Xoxo / .... ..xx .... xxxx
        tom_high: .... .... .... x.xx / ..x. .... ..xx .... / .... .... .... ....
        +snare: x.xx x.xx x.xx x.xx / .... X... .... X...
        +crash: X... .... .... ....""",
    "orchestral": """
        kick: X... .... .... .... / X... .... x... .... / .... .... .... ....
        snare: .... .... .... xxxx / x.xx x.x. x.xx x.x. / .... .... .... ....
        crash: X... .... .... .... / .... .... .... .... / .... .... X... ....
        +triangle: x... .... x... .... / x.x. x.x. x.x. x.x.
        +tom_low: x... .... ..xx x... / .... .... .... xxxx""",
    "gongs": """
        agogo_low: x... .... x... .... / x... x... x... x...
        agogo_high: .x.x .x.x .x.x .x.x / ..x. ..xx ..x. ..xx / x.xx .xx. x.xx .xx.
        crash: X... .... .... .... / .... .... .... ....
        +conga_low: X..x .... x.x. .... / X... ..x. ..x. .xxx
        +woodblock_high: x.x. x.x. x.x. xxxx""",
    "ceremony": """
        taiko: X... .... .... .... / X... .... .... ..x. / X... .... x... ....
        woodblock_high: .... .... x... .... / .... x... .... x.x. / .... .... .... xxxx
        +crash: X... .... .... ....""",
    "lo-fi": """
        kick: X... ...x ..x. .... / X..x .... .x.. .... / X... ..x. .... x... / X... .... ..xx ....
        snare: .... X... .... X... / .... X..o .... X... / .... X... .... X.o.
        closed_hat: x.x. x.x. x.x. x.x. / x.xo x.xo x.xo x.xo / ..x. ..x. ..x. ..x. / x... x.x. x... x.x.
        +rim: ...x .... .x.. .... / .... .... ..x. ..x.
        +shaker: x.xo x.xo x.xo x.xo""",
    "chip": """
        kick: X... .... X... .... / X..x .... X.x. .... / X... ..x. X... ..x. / X... X... X... X...
        snare: .... X... .... X... / .... X... .... X.xx / ..x. X... ..x. X...
        closed_hat: x.x. x.x. x.x. x.x. / xxxx xxxx xxxx xxxx / x.xx x.xx x.xx x.xx""",
}  # fmt: skip
