"""The composer's styles: which instruments play which part, how, on which grooves and kits, with what feel.

A style's tempo, meter, mode, chords and whether it has drums are those of `musicbench.prompt.genres`, where it has the
same name.
"""

from dataclasses import dataclass, field
from functools import cache

from musicbench.prompt.genres import GENRES

# name -> chords | how they are played | bass | its lines | lead | ways of its melody | grooves | kits | options
# Options: swing8 and swing16 (0 to .35), sevenths, pad, solo, lead, bass, drums, wall (of guitars; shares of pieces),
# triplet (share in 12/8), meters (instead of the usual ones), band (share that one of BANDS plays), machine (notes lie
# on the grid), loose (how much rhythms vary).
_TABLE = {
    # songs
    "pop": "piano, electric guitar, acoustic guitar, synth pad, electric piano | quarters, arpeggio, syncopated, strum, eighths, plucks | electric bass, synth bass | eighths, roots, syncopated, motown | synth lead, violin, electric guitar, piano | melody, hook, song | rock, four on the floor, half time, motown | standard, room, electronic, cr-78 | pad=.25",
    "ballad": "piano, electric piano, acoustic guitar, strings | arpeggio, quarters, halves, slow strum, travis, rolled | electric bass, fretless bass | roots, root fifth | violin, oboe, saxophone, electric guitar, flute | song, long | half time, ballad | standard, room | sevenths=.35 pad=.4 triplet=.15",
    "rock": "distorted guitar, electric guitar, overdriven guitar | power eighths, power chords, rock riff, strum, eighths | electric bass | eighths, octaves, syncopated | electric guitar, organ, distorted guitar | solo, riff, melody | rock, fast rock, half time | standard, room, power | sevenths=.05 wall=0.3",
    "hard rock": "distorted guitar | rock riff, power chords, power eighths, chugs | picked bass, electric bass | eighths, syncopated, gallop | distorted guitar, electric guitar | solo, riff, blues | rock, fast rock, half time | power, room | sevenths=0 wall=0.8",
    "punk": "distorted guitar | down strokes, power eighths | picked bass, electric bass | punk | distorted guitar, electric guitar | riff, hook | punk, fast rock | room, power | sevenths=0 lead=.3 bass=.95 wall=0.8",
    "metal": "high gain guitar, distorted guitar | gallop, chugs, tremolo picking, rock riff | picked bass, electric bass | metal, gallop | distorted guitar, overdriven guitar | runs, solo, riff | metal, half time, blast, fast rock | power, room | sevenths=0 lead=.5 bass=.95 wall=1",
    "thrash": "high gain guitar, distorted guitar | tremolo picking, gallop, down strokes, chugs | picked bass | metal, punk | distorted guitar | runs, solo | blast, metal, punk | power | sevenths=0 lead=.4 bass=.95 wall=1",
    "doom metal": "distorted guitar | doom riff, power chords | picked bass, electric bass, fretless bass | doom, roots | distorted guitar, organ, choir | long, riff | half time, toms | power, room | sevenths=0 bass=.95 wall=1",
    "indie rock": "electric guitar, overdriven guitar, acoustic guitar | strum, arpeggio, eighths, plucks, broken thirds | electric bass, picked bass | eighths, motown, syncopated | electric guitar, glockenspiel, synth lead | hook, melody, riff | rock, fast rock, four on the floor | standard, room, break kit | pad=.2",
    "post-rock": "electric guitar, distorted guitar | tremolo picking, arpeggio, power chords, waterfall, swells | electric bass | roots, eighths | electric guitar, violin, glockenspiel | long, arpeggio | half time, toms, rock | room, power | pad=.5 sevenths=.1 wall=0.3",
    "progressive rock": "organ, electric guitar, piano, distorted guitar, synth pad | sixteenths, rock riff, pulses, power chords, stabs | picked bass, electric bass | syncopated, octaves, ostinato | synth lead, electric guitar, flute, organ | runs, solo, melody | rock, odd, toms | room, standard | meters=4/4,7/8,5/4,6/8 sevenths=.2",
    "surf rock": "electric guitar | strum, eighths, tremolo picking, down strokes | electric bass, picked bass | eighths, root fifth, octaves | electric guitar, saxophone, organ | surf, riff | surf, fast rock | standard, room | sevenths=0",
    "rock and roll": "piano, electric guitar, honky tonk piano | boogie, blues shuffle, eighths | acoustic bass, electric bass | boogie, walking | saxophone, electric guitar, piano | blues, solo | rockabilly, shuffle | standard, room | triplet=.6 sevenths=.4",
    "new wave": "synth pad, electric guitar, string machine | eighths, strum, off-beats, arpeggio, plucks | picked bass, synth bass, electric bass | eighths, octaves, ostinato | synth lead, electric guitar | hook, melody | four on the floor, fast rock, electro | eighties, 606, standard | pad=.4 machine",
    # blues, jazz, soul
    "blues": "electric guitar, piano, organ, acoustic guitar | blues shuffle, charleston, boogie, stabs | electric bass, acoustic bass | blues shuffle, walking, boogie | harmonica, electric guitar, saxophone, distorted guitar | blues | shuffle, twelve eight, rock | standard, room | triplet=.7 sevenths=.8 solo=.12",
    "boogie woogie": "piano, honky tonk piano | boogie, blues shuffle | acoustic bass, piano | boogie | piano, saxophone | blues, solo | shuffle, rockabilly | standard, jazz | triplet=.9 sevenths=.6 solo=.35",
    "jazz": "piano, piano, piano, vibraphone, jazz guitar, organ | jazz comping, charleston | acoustic bass | walking, two feel | saxophone, trumpet, clarinet, electric guitar, vibraphone | bebop, melody | swing, brushes | jazz, brush, standard | triplet=.9 sevenths=.85 solo=.08",
    "swing": "piano, electric guitar, brass section | jazz comping, gypsy pump, brass stabs, quarters | acoustic bass | walking | clarinet, trumpet, saxophone, muted trumpet, trombone | bebop, melody | big band, swing | jazz, standard | triplet=.95 sevenths=.8 band=.6",
    "gypsy jazz": "acoustic guitar, electric guitar | gypsy pump | acoustic bass | two feel, walking | violin, acoustic guitar, clarinet, accordion | bebop, runs | brushes | brush | triplet=.7 sevenths=.6 drums=.05",
    "bossa nova": "nylon guitar, electric piano, piano | bossa guitar, charleston | acoustic bass, fretless bass | bossa | flute, saxophone, vibraphone, nylon guitar | melody, song, bebop | bossa | jazz, brush, soft brushes, standard | sevenths=.75",
    "ragtime": "piano, honky tonk piano | ragtime, stride | tuba, acoustic bass | tuba | piano, clarinet, banjo | melody, runs | brushes, march | brush, standard | solo=.6 drums=.1 sevenths=.15",
    "funk": "electric guitar, electric piano, clavinet, brass section, organ | funk scratch, wah, clavinet, brass stabs | slap bass, electric bass | funk, slap | saxophone, trumpet, synth lead, organ | riff, blues | funk | standard, room | sevenths=.7 swing16=.08 bass=.97",
    "soul": "electric piano, organ, electric guitar, piano, brass section | quarters, gospel, off-beats, brass stabs, wah | electric bass | motown | saxophone, trumpet, strings, organ | song, riff, blues | motown, hip hop, rock | standard, room | sevenths=.5 pad=.3",
    "r and b": "electric piano, piano, synth pad, electric guitar | halves, stabs, jazz comping, plucks | synth bass, electric bass, 808 bass | hip hop, two step, syncopated | synth lead, saxophone, flute | hook, riff | hip hop, trap, half time | trap kit, electronic, 808, standard | sevenths=.8 swing16=.15",
    "disco": "electric guitar, strings, piano, clavinet, brass section | funk scratch, off-beats, stabs, wah, house piano | electric bass, slap bass, synth bass | disco, octaves | strings, trumpet, synth lead, flute | hook, riff, melody | disco, four on the floor | standard, room, electronic, cr-78 | sevenths=.5 pad=.4 bass=.98",
    "gospel": "organ, piano | gospel, quarters, halves, sustained | electric bass | gospel, walking | choir, saxophone, organ | song, blues | shuffle, rock, twelve eight, ballad | standard, room | triplet=.4 sevenths=.6",
    # hip hop
    "hip hop": "electric piano, piano, strings, vibraphone, electric guitar, brass section | stabs, jazz comping, halves, plucks, sustained, riffs | electric bass, acoustic bass, synth bass | hip hop, syncopated | flute, trumpet, saxophone, synth lead, pizzicato | riff, hook | hip hop, break | standard, room, break kit, lo-fi kit, 808, sampled 808 | sevenths=.55 swing16=.22 lead=.45",
    "lo-fi": "electric piano, piano, electric guitar, vibraphone | halves, jazz comping, charleston, arpeggio, rolled, stabs | fretless bass, electric bass, acoustic bass | hip hop, roots, two step | vibraphone, flute, saxophone, nylon guitar, kalimba | riff, pentatonic | lo-fi, half time, break | lo-fi kit, soft brushes, standard, jazz | sevenths=.9 swing16=.25 lead=.45",
    "trap": "piano, strings, synth pad, bells, synth bells, pluck, choir, flute | arpeggio, plucks, sustained, stabs, bells, ostinato | 808 bass, synth bass | 808 | synth lead, flute, synth bells, pluck, music box, vocal chops | riff, hook | trap | trap kit, 808, sampled 808 | sevenths=.1 machine bass=.96 lead=.45",
    "drill": "piano, strings, choir, synth pad, pluck | arpeggio, plucks, sustained, ostinato, stabs | 808 bass | 808 drill | flute, synth bells, strings, vocal chops | riff | drill | trap kit, 808 | sevenths=.05 machine bass=.98 lead=.35",
    "trip hop": "electric piano, strings, synth pad, vibraphone | sustained, stabs, halves, plucks | electric bass, acoustic bass, sub bass | dub, hip hop | trumpet, flute, theremin, muted trumpet | long, riff | break, hip hop, half time | break kit, standard, lo-fi kit | sevenths=.5 pad=.5 swing16=.15",
    # electronic
    "electronic": "synth pad, electric piano, pluck, supersaw pad | off-beats, sixteenths, sustained, plucks, trance gate, stabs | synth bass, fm bass, reese bass | eighths, octaves, off-beats, house | synth lead, pluck, synth bells | hook, trance, arpeggio | four on the floor, break, electro | electronic, 909, 808, electro kit | machine pad=.4",
    "house": "piano, synth pad, organ, house stab, electric piano, strings | house piano, stabs, off-beats, sustained | synth bass, donk, electric bass | house, off-beats, octaves | synth lead, vocal chops, saxophone, pluck | hook, riff | house, four on the floor | 909, 808, electronic | machine sevenths=.5 bass=.97 lead=.4 swing16=.06",
    "deep house": "electric piano, organ, synth pad, vibraphone, house stab | stabs, sustained, off-beats, jazz comping | synth bass, sub bass, donk | deep, house | saxophone, flute, vocal chops, pluck | riff, long | house | 909, 808, cr-78 | machine sevenths=.8 pad=.5 swing16=.1 lead=.35",
    "techno": "synth pad, house stab, pluck, dark drone, hoover | stabs, plucks, off-beats, drone, pulses | synth bass, sub bass, reese bass | techno, off-beats | synth lead, pluck, synth bells | arpeggio, riff | techno | 909, 606, hardcore kit | machine sevenths=0 bass=.97 lead=.3 loose=1",
    "acid house": "synth pad, house stab, strings | stabs, drone, off-beats | 303 | acid | synth lead, vocal chops | riff | house, techno, four on the floor | 909, 606, 808 | machine sevenths=0 bass=1 lead=.15",
    "trance": "supersaw pad, synth pad, pluck, synth strings | trance gate, big chords, plucks, sustained | synth bass, analogue bass | rolling, off-beats | supersaw lead, synth lead, pluck | trance, arpeggio, hook | trance | 909, electro kit | machine sevenths=.05 pad=.6 lead=.75 bass=.97",
    "psytrance": "synth pad, pluck, dark drone | plucks, drone, pulses | analogue bass, synth bass | rolling | synth lead, 303, pluck | arpeggio, trance | trance, techno | 909, hardcore kit | machine sevenths=0 bass=1",
    "drum and bass": "synth pad, electric piano, strings, pluck, vocal chops | sustained, swells, stabs, jazz comping, plucks | reese bass, sub bass, synth bass | reese, two step, syncopated | synth lead, saxophone, vocal chops, flute, pluck | long, hook | drum and bass, break | break kit, standard, electronic | machine sevenths=.5 pad=.5 bass=.97 lead=.4",
    "jungle": "synth pad, strings, house stab | sustained, swells, stabs | sub bass, reese bass, 808 bass | dub, reese | vocal chops, synth lead, flute | riff, long | jungle, break | break kit, standard | machine sevenths=.4 bass=.97 lead=.3",
    "dubstep": "synth pad, strings, pluck, choir | sustained, stabs, plucks | wobble bass, growl bass, sub bass | wobble | synth lead, synth bells, vocal chops | hook, riff | dubstep | electro kit, 909, trap kit | machine sevenths=.05 bass=1 lead=.35",
    "uk garage": "electric piano, organ, house stab, synth pad | stabs, off-beats, jazz comping | sub bass, synth bass, donk | garage | vocal chops, synth lead, saxophone | riff, hook | garage | 909, break kit, 606 | machine sevenths=.6 swing16=.2 bass=.96",
    "future bass": "supersaw pad, synth pad, electric piano | big chords, trance gate, stabs | sub bass, synth bass | two step, 808 | vocal chops, synth lead, supersaw lead, synth bells | hook, riff | trap, half time | trap kit, electro kit, 909 | machine sevenths=.6",
    "electro": "synth pad, house stab, string machine, robot voice | stabs, plucks, off-beats | synth bass, fm bass, pulse bass | octaves, funk, ostinato | synth lead, robot voice, pluck | riff, arpeggio | electro | 808, electro kit, 606 | machine sevenths=.2",
    "synthwave": "synth pad, string machine, supersaw pad, pluck, digital piano | sustained, plucks, eighths, sixteenths, stabs | pulse bass, analogue bass, synth bass | ostinato, eighths, octaves | synth lead, analogue lead, synth bells | hook, long, melody | four on the floor, half time, rock | eighties | machine pad=.6",
    "synth-pop": "synth pad, string machine, pluck, digital piano | off-beats, plucks, eighths, sustained, sixteenths | synth bass, analogue bass | octaves, eighths, ostinato | synth lead, synth bells, pluck | hook, melody | four on the floor, electro, rock | eighties, 606, cr-78, electronic | machine pad=.3",
    "chiptune": "chip square, chip pulse, chip thin | chip arpeggio, sixteenths, eighths | chip bass, chip triangle | chip | chip square, chip pulse, chip thin | chip, arpeggio | chip | chip kit | machine sevenths=0 lead=.9 band=.4",
    "downtempo": "electric piano, synth pad, vibraphone, nylon guitar | sustained, plucks, halves, arpeggio | sub bass, synth bass, fretless bass | dub, two step, deep | flute, saxophone, kalimba, sitar | riff, long | hip hop, break, lo-fi | electronic, break kit, cr-78, lo-fi kit | sevenths=.6 pad=.5",
    "dub": "organ, electric guitar, electric piano | skank, stabs, bubble | electric bass, sub bass | dub | harmonica, trombone, saxophone | long, riff | one drop, steppers | standard, room, 909 | sevenths=.1 bass=1 lead=.3",
    # the Caribbean, Latin America
    "reggae": "organ, electric guitar, piano | skank, bubble | electric bass | reggae, dub | harmonica, trumpet, saxophone, organ | riff, song, melody | one drop, steppers | standard, room | sevenths=.15 swing16=.1 bass=.98",
    "dancehall": "synth pad, organ, electric piano, brass section | skank, stabs, dembow | synth bass, 808 bass, electric bass | reggaeton, syncopated | synth lead, vocal chops, steel drum | riff, hook | dancehall | electronic, 808, 909 | machine sevenths=.1",
    "reggaeton": "pluck, synth pad, piano, nylon guitar | dembow, plucks, stabs, arpeggio | 808 bass, synth bass | reggaeton | synth lead, flute, vocal chops, pluck | hook, riff | reggaeton | 909, 808, trap kit, electronic | machine sevenths=.05 bass=.97",
    "ska": "electric guitar, organ, piano, brass section | ska, bubble | electric bass | ska walk, walking | trumpet, saxophone, trombone | melody, riff, fanfare | ska | standard, room | sevenths=.1 band=.3",
    "tropical": "marimba, acoustic guitar, steel drum, electric guitar | syncopated, plucks, off-beats, highlife | electric bass, acoustic bass | syncopated, root fifth, cumbia | flute, whistle, steel drum, marimba | calypso, melody | tropical, latin | standard, electronic | sevenths=.15",
    "soca": "steel drum, brass section, electric guitar | off-beats, syncopated, brass stabs, plucks | electric bass, synth bass | syncopated, cumbia | steel drum, trumpet | calypso, hook | tropical | standard, 909 | sevenths=.1 band=.3",
    "latin": "piano, nylon guitar, acoustic guitar | montuno, syncopated, guajeo, rasgueado | acoustic bass, electric bass | tumbao, syncopated, root fifth | trumpet, flute, violin | salsa, melody | latin, cha cha | standard, room | sevenths=.4",
    "salsa": "piano | montuno, guajeo | acoustic bass, electric bass | tumbao | trumpet, trombone, flute, brass section | salsa, fanfare | salsa | standard | sevenths=.35 bass=.97 band=.35 loose=1",
    "cha cha": "piano, nylon guitar | montuno, guajeo | acoustic bass | tumbao | flute, trumpet, violin | salsa | cha cha, latin | standard | sevenths=.4",
    "samba": "nylon guitar, piano, banjo | samba guitar, bossa guitar | acoustic bass, electric bass | samba | flute, clarinet, trombone, whistle | melody, salsa | samba | standard | sevenths=.6 loose=1 drumsalone=.15",
    "cumbia": "accordion, piano, electric guitar, synth pad | cumbia, off-beats | electric bass, acoustic bass | cumbia | accordion, clarinet, trumpet, flute | salsa, melody | cumbia | standard | sevenths=.1",
    "bolero": "nylon guitar, piano | arpeggio, bachata, travis | acoustic bass | bolero | trumpet, violin, nylon guitar | song | bolero, latin | standard, jazz | sevenths=.4",
    "bachata": "electric guitar, nylon guitar, steel guitar | bachata | electric bass | bolero, syncopated | electric guitar, nylon guitar | runs, song | bolero, latin | standard | sevenths=.1",
    "mariachi": "nylon guitar, acoustic guitar | polka, waltz, strum | acoustic bass, tuba | country, waltz | trumpet, violin, accordion | fanfare, melody | polka, waltz | standard | sevenths=.05 drums=.25 band=.4",
    "tango": "bandoneon, accordion, piano | tango, habanera | acoustic bass, contrabass, cello | tango, habanera | violin, bandoneon, clarinet | song, classical | toms | standard | sevenths=.15 drums=.03 band=.3",
    # Europe and its neighbours
    "folk": "acoustic guitar, steel guitar, nylon guitar | travis, strum, arpeggio, slow strum | acoustic bass, cello | root fifth, roots | violin, harmonica, whistle, flute, accordion | song, melody | train, brushes | brush, standard | sevenths=.05 solo=.15",
    "country": "acoustic guitar, piano, electric guitar, banjo | boom chick, strum, travis, quarters | acoustic bass, electric bass | country | fiddle, harmonica, electric guitar, banjo | melody, fiddle, song | train, country | standard, room, brush | sevenths=.15",
    "bluegrass": "banjo, acoustic guitar | banjo roll, boom chick | acoustic bass | country | fiddle, banjo, violin | fiddle, runs | train | brush | sevenths=.02 drums=.03",
    "celtic": "acoustic guitar, harp, accordion, bagpipe | strum, reel, arpeggio, drone | acoustic bass, cello | root fifth, drone | fiddle, flute, whistle, bagpipe, recorder | fiddle, melody | reel, jig | hand percussion, standard | sevenths=0 drums=.45 meters=4/4,6/8,2/4",
    "jig": "acoustic guitar, accordion, harp | jig | acoustic bass | jig | fiddle, flute, whistle, bagpipe, accordion | fiddle | jig | standard | sevenths=0 drums=.5",
    "slip jig": "acoustic guitar, accordion, harp | waltz, arpeggio | acoustic bass | waltz, roots | fiddle, flute, whistle | jig | jig, waltz | standard | sevenths=0 drums=.3 triplet=1 meters=3/4",
    "medieval": "harp, nylon guitar, harmonium, hammered dulcimer | drone, arpeggio, plucks, oom-pah | cello, bassoon | drone, root fifth | recorder, oboe, flute, bagpipe, shehnai | melody, classical | hand drums, jig | hand percussion, standard | sevenths=0 drums=.4",
    "waltz": "piano, strings, accordion, harp | waltz | acoustic bass, cello, tuba | waltz | violin, clarinet, flute, accordion | classical, song | waltz | standard, brush | sevenths=.15 drums=.3",
    "musette": "accordion | waltz | acoustic bass | waltz | accordion, clarinet, violin | runs, classical | waltz, brushes | brush, standard | sevenths=.2 drums=.35",
    "polka": "accordion, piano, brass section | polka | tuba, acoustic bass | tuba | clarinet, accordion, trumpet, violin | march, runs | polka, march | standard | sevenths=.1",
    "flamenco": "nylon guitar | rasgueado, arpeggio, waterfall | acoustic bass, nylon guitar | flamenco, roots | nylon guitar, flute, violin | flamenco | flamenco | hand percussion | sevenths=.02 solo=.3 drums=.4 bass=.4",
    "klezmer": "accordion, piano, hammered dulcimer | klezmer, polka | tuba, acoustic bass | tuba, tango | clarinet, violin, trumpet, flute | klezmer | polka, train | standard, brush | sevenths=.02",
    "balkan": "accordion, brass section, acoustic guitar | balkan | tuba, acoustic bass | odd | clarinet, trumpet, violin, saxophone | klezmer, oriental | odd, belly dance | standard | meters=7/8,4/4,7/8,5/8 sevenths=.02 band=.35",
    "arabic": "nylon guitar, strings, hammered dulcimer, accordion | drone, oom-pah, plucks, sustained | cello, acoustic bass | drone, root fifth | violin, shehnai, clarinet, flute, sitar | oriental | belly dance | hand percussion, standard | sevenths=0",
    # Africa and Asia
    "afrobeat": "electric guitar, organ, brass section | afro guitar, stabs, brass stabs, wah | electric bass | afrobeat | saxophone, trumpet, organ | riff, blues | afrobeat | standard, room | sevenths=.4 bass=.98 loose=1",
    "afrobeats": "pluck, electric guitar, electric piano, marimba | plucks, afro guitar, stabs | synth bass, 808 bass, electric bass | syncopated, afrobeat | synth lead, flute, vocal chops, saxophone | hook, calypso | afrobeats | electronic, 909, trap kit | sevenths=.2 machine",
    "african": "kalimba, electric guitar, marimba, acoustic guitar | highlife, afro guitar, plucks | electric bass, acoustic bass | syncopated, afrobeat | flute, saxophone, kalimba, whistle | calypso, pentatonic | hand drums, tropical | hand percussion, standard | sevenths=0 drumsalone=.12",
    "bhangra": "synth pad, harmonium, sitar | stabs, drone, plucks | synth bass, electric bass | off-beats, syncopated | shehnai, synth lead, sitar, flute | oriental, riff | dhol | standard, electronic, hand percussion | sevenths=0",
    "raga": "tanpura, harmonium | tanpura, drone | | | sitar, flute, shehnai, buzzing sitar, violin | raga | tabla | hand percussion | sevenths=0 lead=1 drums=.5 bass=0 mixed=.1",
    "gamelan": "metallophone, bonang, vibraphone, glockenspiel, marimba | gamelan | bonang, marimba | drone, pizzicato | metallophone, bonang, celesta, xylophone | gamelan | gongs | standard | sevenths=0 lead=.9 drums=.5 bass=.3 mixed=.1",
    "gagaku": "sho, harmonium | drone, sustained | koto | drone | hichiriki, flute, shakuhachi, oboe | gagaku | ceremony | cinematic kit, taiko, orchestral | sevenths=0 lead=1 drums=.4 bass=.2 mixed=.1",
    "chinese": "koto, harp, hammered dulcimer, shamisen | koto, waterfall, arpeggio, rolled | cello, koto | drone, roots | flute, violin, shakuhachi, pan flute, shamisen, koto | pentatonic, koto | ceremony, hand drums | taiko, cinematic kit | sevenths=0 drums=.15 bass=.3 solo=.2",
    "hawaiian": "acoustic guitar, steel guitar, nylon guitar | strum, boom chick, travis | acoustic bass | country | electric guitar, vibraphone, steel guitar | song, long | brushes | brush | sevenths=.2 drums=.2",
    "andean": "nylon guitar, acoustic guitar | strum, rasgueado | acoustic bass | root fifth, country | pan flute, recorder, whistle | pentatonic, melody | hand drums, toms | standard, toms, hand percussion | sevenths=0 drums=.45",
    # classical and sacred
    "classical": "piano, strings, harp, harpsichord | alberti, arpeggio, halves, waterfall, spiccato, quarters | cello, contrabass, bassoon | roots, root fifth, pizzicato | violin, oboe, flute, clarinet, cello, french horn | classical, song | orchestral | orchestral | sevenths=.2 band=.3 solo=.2",
    "chamber music": "strings, piano | arpeggio, eighths, halves | cello | roots, pizzicato | violin, clarinet, flute | classical | orchestral | orchestral | sevenths=.15 band=.92 mixed=.05 drums=0",
    "baroque": "harpsichord, organ, strings, church organ | alberti, sixteenths, quarters, broken thirds | cello, bassoon, contrabass | walking, eighths, quarters | oboe, flute, violin, recorder, trumpet | baroque | orchestral | orchestral | sevenths=.15 solo=.2 band=.3",
    "minimalism": "piano, marimba, vibraphone, strings | pulses, ostinato, waterfall | cello, marimba | eighths, ostinato, roots | clarinet, violin, flute, glockenspiel | arpeggio, long | orchestral | orchestral | sevenths=.1 drums=.03 solo=.2",
    "hymn": "organ, choir, principal organ, harmonium | hymn, chorale | cello, tuba, choir | quarters, roots | trumpet, oboe, choir | chant, song | orchestral | orchestral | sevenths=.1 drums=.02 band=.5",
    "gregorian chant": "choir, singers hum, singers oh | sustained, drone | choir, church organ | drone | choir, solo voice, singers oh | chant | ceremony | orchestral | sevenths=0 drums=0 bass=.4 lead=1 mixed=.05 nodrums",
    "a cappella": "choir, oohs, singers ah, close harmony voice | chorale, quarters, sustained, gospel | choir, close harmony voice | quarters, roots | choir, oohs, solo voice | song, chant | brushes | standard | sevenths=.25 drums=0 band=.9 mixed=0",
    "march": "brass section, piano | oom-pah, off-beats | tuba | tuba | trumpet, clarinet, piccolo, trombone | march, fanfare | march | orchestral, standard | sevenths=.1 band=.5",
    "lullaby": "music box, harp, celesta, piano | arpeggio, alberti, bells, broken thirds | cello, acoustic bass | roots | flute, whistle, clarinet, glockenspiel | song | brushes | brush | sevenths=.1 drums=0 solo=.3 bass=.4",
    # still and filmed
    "ambient": "synth pad, choir, strings, glass pad, soft pad, piano | sustained, drone, swells, bells, rolled | synth bass, cello, sub bass | roots, drone | flute, vibraphone, piano, synth bells | ambient, long | ceremony | electronic, cr-78 | sevenths=.5 drums=.02 pad=.5 bass=.5",
    "dark ambient": "dark drone, synth pad, choir, soft pad | drone, sustained | dark drone, contrabass, sub bass | drone | cello, theremin, bells | ambient | ceremony | taiko | sevenths=0 drums=0 lead=.3",
    "drone": "dark drone, synth pad, harmonium, singing bowl, tanpura, strings | drone, sustained | dark drone, contrabass, didgeridoo | drone | overtone singer, cello, flute | ambient | ceremony | taiko | sevenths=0 drums=0 lead=.25 bass=.7",
    "new age": "harp, synth pad, piano, choir, nylon guitar | rolled, waterfall, sustained, bells, arpeggio | synth bass, cello | roots, drone | flute, pan flute, shakuhachi, synth bells | ambient, pentatonic | ceremony | electronic | sevenths=.4 drums=.02 pad=.6 bass=.4",
    "cinematic": "strings, brass section, choir, piano, french horn | sustained, spiccato, ostinato, halves, swells | cello, tuba, contrabass | roots, ostinato | trumpet, violin, oboe, french horn, cello | long, song | toms, orchestral, trailer | orchestral, taiko, cinematic kit | sevenths=.1 pad=.4",
    "trailer": "strings, brass section, choir, tremolo strings | spiccato, hits, ostinato, sustained | contrabass, tuba, braam, cello | roots, ostinato | french horn, trumpet, violin, choir | long, fanfare | trailer, toms | cinematic kit, taiko, orchestral | sevenths=0 pad=.7 bass=.95 drums=.95",
    "horror": "tremolo strings, strings, choir, dark drone, piano | sustained, tremolo, drone, bells, ostinato | contrabass, dark drone | drone, pizzicato | music box, theremin, violin, celesta | ambient, long | ceremony, toms | cinematic kit, taiko, orchestral | sevenths=.1 drums=.15",
    "spaghetti western": "nylon guitar, electric guitar, strings | strum, gallop, arpeggio, rasgueado | acoustic bass, electric bass | country, gallop | whistle, trumpet, harmonica, choir | song, fanfare | train, toms | standard, orchestral | sevenths=0 drums=.5 pad=.3",
}  # fmt: skip

# Who plays, where it is always these: part, instrument, way of playing or melody, and "@" which voice of the chord,
# from below.
BANDS = {
    "chamber music": (
        "lead violin classical; chords violin chorale @1; chords viola chorale @0; bass cello roots",
        "lead violin song; chords violin eighths @1; chords viola eighths @0; bass cello pizzicato",
        "lead violin classical; chords viola arpeggio; bass cello roots", "lead clarinet classical; chords violin chorale @1; chords viola chorale @0; bass cello roots",
        "lead flute classical; chords clarinet chorale @1; chords english horn chorale @0; bass bassoon quarters",
        "lead violin classical; chords piano arpeggio; bass cello roots",
    ),
    "a cappella": (
        "lead solo voice song; chords close harmony voice chorale @1; chords close harmony voice chorale @0; bass close harmony voice quarters",
        "lead oohs song; chords choir chorale @1; chords choir chorale @0; bass choir roots", "lead choir chant; chords choir chorale; bass choir quarters",
        "lead solo voice hook; chords singers oh sustained; bass close harmony voice two feel",
    ),
    "hymn": ("lead choir chant; chords choir chorale @1; chords choir chorale @0; bass choir quarters", "lead church organ chant; chords church organ hymn; bass church organ quarters",
             "lead trumpet chant; chords trombone chorale @1; chords french horn chorale @0; bass tuba quarters"),
    "march": ("lead trumpet fanfare; chords french horn off-beats; chords trombone riffs @0; bass tuba tuba", "lead piccolo march; chords clarinet off-beats; bass tuba tuba",
              "lead trumpet march; chords trombone chorale @1; chords french horn chorale @0; bass tuba quarters"),
    "swing": ("lead trumpet bebop; chords alto saxophone riffs @2; chords tenor saxophone riffs @1; chords trombone riffs @0; bass acoustic bass walking",
              "lead tenor saxophone bebop; chords brass section brass stabs; chords piano jazz comping; bass acoustic bass walking",
              "lead clarinet bebop; chords brass section riffs; chords jazz guitar gypsy pump; bass acoustic bass walking"),
    "ska": ("lead trumpet fanfare; chords trombone riffs @0; chords alto saxophone riffs @1; chords clean guitar ska; bass fingered bass ska walk",),
    "salsa": ("lead trumpet salsa; chords piano montuno; chords trombone brass stabs; bass acoustic bass tumbao", "lead flute salsa; chords violin guajeo; chords piano montuno; bass acoustic bass tumbao"),
    "balkan": ("lead trumpet klezmer; chords trombone balkan @1; chords french horn balkan @0; bass tuba odd", "lead clarinet klezmer; chords accordion balkan; bass tuba odd"),
    "mariachi": ("lead trumpet fanfare; lead violin melody; chords nylon guitar polka; bass acoustic bass country",),
    "tango": ("lead violin song; chords bandoneon tango; chords piano tango; bass contrabass tango",),
    "soca": ("lead steel drum calypso; chords steel drum plucks; bass fingered bass cumbia",),
    "classical": ("lead flute classical; chords clarinet alberti; bass bassoon roots", "lead violin song; chords strings halves; chords harp arpeggio; bass cello roots",
                  "lead oboe classical; chords strings quarters; bass contrabass pizzicato", "lead french horn song; chords slow strings sustained; bass timpani roots"),
    "baroque": ("lead recorder baroque; chords harpsichord sixteenths; bass cello walking", "lead violin baroque; chords violin broken thirds @1; chords harpsichord quarters; bass cello eighths",
                "lead church organ baroque; chords church organ alberti; bass church organ walking"),
    "chiptune": ("lead chip square chip; chords chip pulse chip arpeggio; bass chip triangle chip", "lead chip thin chip; chords chip square chip arpeggio; bass chip bass chip"),
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    """What a style draws from; see the table for the options.

    Names are those of instruments or their kinds, of patterns and grooves.
    """

    name: str
    chords: tuple
    patterns: tuple
    bass: tuple
    lines: tuple
    lead: tuple
    melodies: tuple
    grooves: tuple
    kits: tuple
    bands: tuple = ()
    meters: tuple = ()
    options: dict = field(default_factory=dict)

    @property
    def genre(self):
        """The Genre of the same name, which has its tempo, meter, mode and chords."""
        return _genres()[self.name]

    def share(self, option, default):
        """Return a share among the options."""
        return self.options.get(option, default)


@cache
def _genres():
    return {genre.name: genre for genre in GENRES}


def _split(text):
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _style(name, row):
    *fields, options = (field.strip() for field in row.split("|"))
    said = dict(option.partition("=")[::2] for option in options.split())
    meters = _split(said.pop("meters", ""))
    numbers = {option: float(value) if value else 1.0 for option, value in said.items()}
    return Style(name, *map(_split, fields), BANDS.get(name, ()), meters, numbers)


STYLES = {name: _style(name, row) for name, row in _TABLE.items()}

# ---------------------------------------------------------------------------------------------------- harmony and moods of any style

MAJOR_LOOPS = (
    "I V vi IV", "I vi IV V", "vi IV I V", "I IV V IV", "I IV I V", "ii V I I", "I iii IV V", "IV V iii vi", "I ii IV V",
    "I bVII IV I", "I vi ii V", "I V vi iii IV I IV V", "I IV", "I V", "vi V IV V", "I iii vi IV", "I I IV V",
    "I vii° vi V", "IV I V vi", "I II IV I", "I III vi IV", "I IV iv I",
)  # fmt: skip
MINOR_LOOPS = (
    "i VI III VII", "i iv V i", "i VII VI V", "i iv VII III", "i v VI VII", "i iv", "i VI iv V", "i VII", "i iv i V",
    "i III VII VI", "ii° V i i", "i VI", "i v iv v", "i iv v i", "VI VII i i", "i II V i",
)  # fmt: skip
SEVENTH_OF = {"maj": ("maj7", "7", "maj6"), "min": ("min7", "min7", "min6"), "dim": ("hdim7", "dim7"), "sus4": ("sus4(b7)",)}
MOODS = {
    "calm": ("calm", "gentle", "relaxing", "peaceful", "soft"),
    "energetic": ("energetic", "upbeat", "lively", "driving", "powerful"),
    "sparse": ("sparse", "minimal"),
    "busy": ("busy", "dense"),
    "bright": ("bright", "cheerful", "sunny"),
    "dark": ("dark", "moody", "somber"),
}
OPPOSITES = {"bright": "dark", "dark": "bright"}
