"""What people ask a prompt's sound to be: instruments of the world, voices, drums, synths, noises; the words for each and what is near.

A sound is named once, with its words. What it is near to is written as names in order, the nearest first: which of them a model
has decides what is told. `KINDS` are words for several sounds, any of which will do.
"""

from functools import cache, lru_cache

from musicbench.prompt.lexicon import Phrases, read_words, table, without_titles

# "name / other words" of the sounds that the composer has, and of other models perhaps.
COMMON = table("""
piano / grand piano / upright piano / acoustic piano / felt piano / pianist / concert grand / piano chords / stride piano;
electric piano / rhodes / fender rhodes / wurlitzer / wurly / e piano / electric grand / dx7;
acoustic guitar / nylon guitar / classical guitar / spanish guitar / flamenco guitar / nylon string guitar / steel string guitar /
  fingerstyle guitar / fingerpicked guitar / folk guitar / strummed guitar / acoustic guitarist;
electric guitar / clean guitar / jazz guitar / funk guitar / archtop guitar / rhythm guitar / clean electric guitar /
  surf guitar / twangy guitar / wah guitar / lead guitar / tremolo guitar / chorus guitar;
distorted guitar / overdriven guitar / distortion guitar / heavy guitar / fuzz guitar / metal guitar / crunchy guitar / distorted electric guitar /
  screaming electric guitar / power chord guitar / shredding guitar / guitar distortion / rock guitar;
organ / hammond / hammond organ / church organ / pipe organ / drawbar organ / rock organ / jazz organ / organist / b3 / hammond b3 / electric organ /
  combo organ / farfisa / leslie organ;
strings / string section / string ensemble / orchestral strings / legato strings / string orchestra / string quartet /
  string trio / string quintet / string octet / lush strings / string pad / synth strings;
harpsichord / cembalo / clavecin; vibraphone / vibraharp; marimba / balafon marimba; accordion / accordionist / squeezebox / musette accordion;
synth pad / pad / warm pad / pads / ambient pad / synth pads / atmospheric pad / string machine; harp / harpist / concert harp / pedal harp / harp glissando;
brass section / brass / horns / horn section / brass band / brass ensemble / brass quintet / trumpets and trombones / big band brass / brass stabs / synth brass;
choir / choral / chorus of voices / choir aahs / wordless choir / aahs / oohs / humming choir / background choir / choir pad;
music box / musical box;
acoustic bass / double bass / upright bass / contrabass / string bass / stand up bass / bassist / bull fiddle / walking bass / jazz bass;
electric bass / bass guitar / fingered bass / picked bass / finger bass / p bass; fretless bass; slap bass / slapped bass / slapping bass / popped bass;
synth bass / bass synth / moog bass / synthesizer bass / analog bass / saw bass;
cello / cellist / violoncello / solo cello; tuba / sousaphone / tubist;
flute / flautist / flutist / concert flute / transverse flute; violin / violinist / fiddle / fiddler / solo violin;
trumpet / trumpeter / jazz trumpet; saxophone / sax / saxophonist / alto sax / alto saxophone / tenor sax / tenor saxophone / saxes;
clarinet / clarinetist / clarinettist; oboe / oboist;
synth lead / lead synth / saw lead / square lead / lead synthesizer / synth solo / supersaw / saw synth / synth melody / monosynth;
harmonica / blues harp / mouth organ / mouth harp harmonica; whistle / whistling / human whistle / whistler;
drum kit / drums / drum / drum set / drumkit / drummer / drum beat / kick / kick drum / bass drum / snare / snare drum / hi hat / cymbal / ride cymbal / crash cymbal /
  backbeat / drumming / acoustic drums / drum loop / drum solo / drum fill / percussion / percussionist / drum groove / beats;
toms / tom tom / floor tom / low toms; claps / hand claps / handclaps / clapping; shaker / egg shaker; congas / conga / conga drum;
claves; rimshot / side stick / cross stick / rim click;
""")  # fmt: skip

# Words for several sounds: known where any of them is.
KINDS = {
    "guitar / guitarist / guitars / guitar solo / guitar riff / strummed chords": (
        "acoustic guitar", "electric guitar", "distorted guitar"),
    "bass / bassline / bass line / basses / sub bass line": (
        "electric bass", "acoustic bass", "synth bass", "fretless bass", "slap bass", "tuba"),
    "synth / synthesizer / synthesizers / analog synth / synth chords / synth stabs / polysynth": ("synth pad", "synth lead", "synth bass"),
    "keys / keyboard / keyboards / keyboardist": ("piano", "electric piano", "organ", "synth pad"),
    "orchestra / symphony orchestra / full orchestra / chamber orchestra / philharmonic / orchestral": ("strings", "brass section"),
    "woodwind / woodwinds / winds / wind quintet / woodwind quintet / woodwind section / wind ensemble / reeds": ("flute", "clarinet", "oboe"),
    "mallets / mallet percussion / tuned percussion": ("marimba", "vibraphone"),
}  # fmt: skip

# What is near, in order -> "name / other words; ...". The first that a model has is named to the user.
_LUTES, _ZITHERS, _FLUTES = (
    ("acoustic guitar", "harp", "electric guitar", "piano"),
    ("harp", "acoustic guitar", "piano"),
    ("flute", "whistle", "clarinet"),
)
_FIDDLES, _REEDS, _HORNS = (
    ("violin", "cello", "strings"),
    ("oboe", "clarinet", "saxophone", "flute"),
    ("brass section", "trumpet", "saxophone"),
)
_BARS, _BELLS, _HAND_DRUMS = (
    ("marimba", "vibraphone", "music box"),
    ("music box", "vibraphone", "harp"),
    ("congas", "toms", "drum kit"),
)
_SYNTHS, _PADS, _VOICES = ("synth lead", "synth pad", "electric piano"), ("synth pad", "strings"), ("choir",)
_BIG_DRUMS, _SMALL, _SINGING = ("toms", "drum kit"), ("shaker", "claves", "claps", "drum kit"), ("choir", "flute")
NEAR = {
    _LUTES: """
        sitar / surbahar / electric sitar; sarod; veena / vina / rudra veena; tanpura / tambura; oud / ud; lute / archlute / theorbo; bouzouki; baglama / saz;
        balalaika / domra; charango; ukulele / uke; banjo / banjolele / bluegrass banjo; mandolin / mandola; bandura / kobza; cuatro; tres / tres cubano / cuban tres; tiple;
        requinto / vihuela / guitarron / jarana; pipa / ruan / liuqin; shamisen / sanshin; biwa; setar / tar lute / dotar / dutar; rubab / rabab; ngoni / xalam;
        gimbri / guembri / sintir; dobro / resonator guitar / resophonic guitar; twelve string guitar / 12 string guitar / twelve string; baritone guitar;
        cigar box guitar; guitalele; cittern; komuz; tamburica; dombra; cavaquinho / cavaco; portuguese guitar / guitarra portuguesa / fado guitar; banduria / laud; viola caipira / ten string guitar / 10 string guitar; cumbus;
        krar / begena; phin; bajo sexto""",
    ("electric guitar", "acoustic guitar", "violin"): """
        seven string guitar / 7 string guitar / 7 string; 8 string guitar / 8 string; 9 string guitar;
        steel guitar / pedal steel / pedal steel guitar / lap steel / lap steel guitar / slide guitar / bottleneck guitar / hawaiian guitar; e bow / ebow guitar;
        talk box guitar; muted guitar / palm muted guitar / palm mutes""",
    _ZITHERS: """
        koto; guzheng / zheng; tsimbl / tsymbaly; arpa llanera / llanera harp / paraguayan harp / arpa; dan tranh / dan bau; guqin; zither / psaltery / autoharp; hammered dulcimer / dulcimer / cimbalom / yangqin; santur / santoor; kora; lyre / lyra harp;
        qanun / kanun / kanoon; gayageum / kayagum / geomungo; celtic harp / lever harp / irish harp / clarsach; kantele; swarmandal; crwth; harp guitar;
        mountain dulcimer / appalachian dulcimer; bowed psaltery""",
    _FLUTES: """
        pan flute / panpipes / pan pipes / siku / zampona / antara; shakuhachi; bansuri / bamboo flute / indian flute; dizi / xiao; ney / nay; kaval; moseno / tarka; venu / murali; recorder / blockflote / fipple flute;
        tin whistle / penny whistle / low whistle / irish whistle; piccolo; ocarina / xun; quena / kena; native american flute / cedar flute; alto flute / bass flute; fife;
        nose flute / fujara / overtone flute; fue / shinobue; slide whistle; irish flute / wooden flute; daegeum; sheng; calliope / steam organ""",
    _FIDDLES: """
        viola / violist / viola da gamba / viol; erhu / huqin / gaohu / zhonghu; sarangi / esraj / dilruba; kamancheh / kemenche / kemence; hardanger fiddle / hardingfele; nyckelharpa;
        hurdy gurdy / hurdygurdy; morin khuur / horsehead fiddle; rebab / rebec; gadulka / gusle; haegeum; baryton; electric violin; stroh violin; lirone / bowed lyre; musical saw / singing saw;
        octobass; bowed guitar; gypsy violin""",
    _REEDS: """
        duduk / armenian duduk / balaban; zurna / mizmar / shawm; bagpipe / bagpipes / highland pipes / great highland bagpipe; uilleann pipes / uillean pipes / smallpipes / musette de cour / gaida;
        bassoon / contrabassoon / bassoonist; english horn / cor anglais; shehnai / nadaswaram; suona; crumhorn / cromorne / dulcian / krummhorn; chalumeau; bombarde;
        basset horn; sarrusophone; launeddas; arghul / mijwiz / zummara; gaita / gaita colombiana; tulum; hichiriki; piri; pungi / snake charmer; hulusi / bawu; taragot; oboe d'amore; melodeon pipes; didgeridoo oboe""",
    ("strings", "violin"): "pizzicato / pizzicato strings / plucked strings; tremolo strings / col legno / spiccato strings",
    ("trumpet", "brass section"): "muted trumpet / harmon mute trumpet",
    ("clarinet", "saxophone", "oboe"): "bass clarinet / contrabass clarinet / alto clarinet / eb clarinet; klezmer clarinet",
    ("saxophone", "clarinet", "trumpet"): "soprano saxophone / soprano sax; baritone saxophone / baritone sax / bari sax / bass saxophone; ewi / wind controller; kazoo",
    _HORNS: """
        french horn / horn player / wagner tuba; trombone / trombonist / bass trombone / valve trombone; flugelhorn / flugel; cornet; bugle; euphonium / baritone horn / tenor horn / alto horn;
        alphorn / alpenhorn; shofar / conch / conch shell; vuvuzela; ophicleide / cornett / sackbut; hunting horn / natural horn; mellophone; piccolo trumpet; dungchen / tibetan horn;
        braam / braams / bwaam / inception horn / brass braam / epic braams; air horn / airhorn; car horn; fog horn / foghorn; carnyx / lur""",
    ("tuba", "synth bass", "cello"): "didgeridoo / didge / didjeridu",
    ("accordion", "harmonica", "organ"): "bandoneon; concertina / anglo concertina; sanfona; cajun accordion; melodeon / button accordion / diatonic accordion; melodica; harmonium / pump organ / reed organ / shruti box; bayan; garmon",
    ("organ", "accordion", "synth pad"): "barrel organ / street organ / fairground organ / hurdy organ; theater organ / cinema organ; portative organ; mellotron / optigan / chamberlin; toy organ",
    ("harpsichord", "piano", "electric piano"): "clavichord; spinet / virginal; fortepiano / pianoforte; prepared piano; honky tonk piano / tack piano / saloon piano; toy piano; player piano / pianola; clavinet / clav; piano strings",
    _BARS: """
        xylophone; balafon / gyil; kalimba / mbira / thumb piano / sansula; steel drum / steelpan / steel pan / steel drums / steel band; handpan / hang drum / tongue drum / steel tongue drum / tank drum;
        gamelan / gender gamelan / saron / bonang; lithophone; hang pan; txalaparta; slit drum / log drum; ranat; glass marimba; boomwhackers; tubular marimba; array mbira""",
    _BELLS: """
        celesta / celeste; glockenspiel / glock / orchestra bells; tubular bells / tubular bell / chimes; bells / bell / church bells / church bell / hand bells / handbells / sleigh bells / jingle bells / bell tower;
        wind chimes / wind chime / mark tree; crotales / antique cymbals; singing bowl / singing bowls / tibetan bowl / tibetan bowls / crystal bowl / crystal bowls; glass harmonica / glass armonica / glass harp;
        carillon; gong / gongs / tam tam; triangle; waterphone; cristal baschet; hang bells; finger cymbals / zills; bell tree; agogo / agogo bells; temple bells / temple bell; clock chime""",
    _HAND_DRUMS: """
        tabla / tablas; djembe / djembes; cajon; bongos / bongo / bongo drums; darbuka / doumbek / darabukka / tombak; dhol / dholak / mridangam / pakhawaj; bodhran; frame drum / daf / bendir; riqq / riq; talking drum / tama drum;
        udu; ashiko / conga djembe; timbales / timbale; pandeiro; tamborim; tambora; caja / bombo leguero; barril / barriles; repique / candombe drums; alfaia / caixa; surdo / repinique / zabumba / tantan; batucada drums; hand drum / hand drums / hand percussion; tribal drums / tribal percussion / african drums / ethnic percussion / world percussion / ethnic drums;
        bata drums / bata; ghatam / kanjira; buk / janggu / janggo; cuica; berimbau; palmas; bombo; madal""",
    _BIG_DRUMS: "timpani / kettle drum / kettledrum / timpanist; taiko / taiko drum / taiko drums / odaiko; concert bass drum / gran cassa / orchestral percussion; war drums / epic drums / battle drums; marching drums / marching snare / marching snares / drumline / drum corps; roto toms / octobans; lambeg drum; powwow drum",
    _SMALL: """
        metronome / click track / metronome click / ticking metronome / metronome ticks / metronome sound / metronome clicks / click metronome;
        tambourine; maracas; cowbell; castanets; guiro; guira / guacharaca; qraqeb / krakebs / qraqebs / krakeb; ganza / chocalho; quijada; frottoir; wood block / woodblock / woodblocks / temple block; cabasa / caxixi / shekere / afuche; rainstick / rain stick; vibraslap / flexatone; whip / slapstick; ratchet; finger snaps / finger snap / snaps / snapping;
        spoons; washboard; jaw harp / jew's harp / mouth harp; body percussion / foot stomps / stomps / stomp; bones percussion; sistrum; bean shaker; tap dance / tap shoes; anvil; beatbox / beatboxing / beatboxer / human beatbox""",
    ("drum kit", "claps", "toms"): """
        brushes / brushed drums / brush drums / brushed snare;        808; 808 drums / tr 808 / roland 808 / 808 kick / 808 drum machine / 808 beats / 808 beat / 808 drum kit / 808 percussion / 808 drum loop; 909 / tr 909 / 909 drums / 909 kick; drum machine / linndrum / linn drum / drum computer / 606 / 707 / dmx drum machine / electronic drums / electronic drum kit / simmons drums / synth drums / v drums;
        trap hats / trap hi hats / hi hat rolls / trap drums / trap snare; amen break / breakbeats / chopped breaks / chopped drums / jungle breaks; double kick / double bass drum / double bass drums / blast beat / blast beats; gated drums / gated snare / gated reverb drums;
        glitch drums / glitchy drums / glitch percussion; mpc drums / sampled drums / drum samples; lo-fi drums / dusty drums; industrial percussion / metallic percussion""",
    ("synth bass", "electric bass", "slap bass"): """
        808 bass / sub bass / 808 sub / distorted 808 / gliding 808 / 808 slides; reese bass / reese; wobble bass / wobble / wub / wubs / growl bass / dubstep bass; 303 / tb 303 / acid bass / acid line / acid 303 / 303 bass; donk / donk bass; log drum bass / amapiano log drum; fm bass; neuro bass;
        hoover bass; chapman stick / stick bass; bass pedals""",
    ("acoustic bass", "electric bass", "tuba"): "washtub bass / gutbucket; octobass contrabass; acoustic bass guitar; jug band jug / jug",
    _SYNTHS: """
        theremin / ondes martenot / trautonium; chip sound / 8 bit synth / 8 bit sounds / game boy / gameboy / nes / sid chip / chip lead / pulse wave / 8 bit melody / commodore 64; vocoder / talk box / talkbox; modular synth / modular / eurorack / buchla / modular synthesizer;
        moog / minimoog / moog lead; arp synth / sequencer / synth arpeggio / arpeggiator / arpeggiated synth / synth arp; fm synth; hoover / hoover synth / rave stab / rave stabs; pluck / plucks / pluck synth / synth pluck; keytar; stylophone / otamatone; juno / juno 60 / jupiter 8 / prophet / prophet 5 / oberheim / dx synth;
        omnichord; wavetable synth / serum; sine lead; laser / lasers / laser sounds; synth bells / fm bells / bell synth; digital synth; detuned synth""",
    _PADS: "drone synth / synth drone / granular synth / granular pad / granular texture; shimmer pad; glass pad; sweep / synth sweep; evolving pad / drone pad; choir synth pad; orchestral hit / orchestra hit / orch hit",
    _VOICES: """
        singer / singing / vocalist / vocal / vocals / voice / sung / sing / lead vocals / lead vocal / lead singer / vocal melody / human voice / voices / vox / vocal line;
        female singer / female vocal / female vocals / female voice / female vocalist / woman singing / woman singer / girl singing / women singing / female lead vocal / soprano / mezzo soprano / soprano voice / diva / alto voice / girl group / songstress / chanteuse / contralto / female vocal hook;
        male singer / male vocal / male vocals / male voice / male vocalist / man singing / men singing / tenor / baritone / tenor voice / baritone voice / bass voice / crooner / boy band / countertenor / falsetto / male lead vocal / bass singer / tenor singer;
        rapper / rap vocals / rapping / raps / rap verse / mc / emcee / freestyle rap / rap vocal / toasting / trap vocals / rapped verses / male rapper / female rapper;
        children choir / kids choir / child singing / child's voice / children singing / boys choir / boy soprano / kids singing / children voices;
        gospel choir / gospel singers / gospel vocals; backing vocals / backing vocal / background vocals / vocal harmonies / vocal harmony / backing singers / background singers / doo wop vocals / call and response vocals / gang vocals / crowd vocals;
        a cappella / acappella / a capella / acapella / vocal quartet / vocal group / barbershop / barbershop quartet / vocal ensemble / vocal trio;
        opera singer / operatic soprano / operatic voice / opera voice / operatic vocals / operatic tenor / opera / aria; throat singing / overtone singing / khoomei / tuvan throat singing; yodel / yodeling / yodelling / yodeler;
        spoken word / narration / narrator / speech / talking / voice over / voiceover / spoken voice / poetry reading / dialogue; whispers / whispering / whispered vocals / whispered voice;
        screaming / screams / scream / screamed vocals / growls / growling / growled vocals / death growl / guttural vocals / harsh vocals / shouting / shouted vocals;
        chant / chanting / monks / monk chant / gregorian chant / gregorian chants / mantra / throat chant / om chanting / plainchant / chants; vocal chops / vocal chop / chopped vocals / vocal samples / vocal sample / sampled vocals / vocal stabs / pitched vocals;
        humming / hum / hummed melody; scat / scat singing / scatting; autotune / auto tune / autotuned vocals / autotuned; lyrics / words sung / verses sung / sung chorus; robot voice / robotic voice / robot vocals / vocaloid / hatsune miku; ad libs / ad lib vocals; ululation; adhan / call to prayer; soulful vocals / vocal runs""",
    _SINGING: "whale song / whale sounds / whales; wolf howl / wolves howling; bird song / birdsong / birds / chirping birds / bird sounds / birds chirping / bird calls",
    ("synth pad",): """
        rain sounds / sound of rain / rain sound / rainfall / rain falling / rain ambience / rain noise / with rain / rain and thunder / raindrops falling; thunder / thunderstorm / storm sounds / thunder sounds; ocean waves / sea waves / waves crashing / sound of waves / ocean sounds / sea sounds; wind sounds / sound of wind / howling wind / wind noise;
        river sounds / running water / water sounds / stream sounds / waterfall sounds / water drops; nature sounds / forest sounds / jungle sounds / field recording / field recordings / nature ambience / crickets / frogs / insects; fire crackling / campfire crackling / crackling fire; white noise / pink noise / brown noise / noise sweep;
        city sounds / street noise / traffic noise / traffic sounds / cafe noise / crowd noise / cafe ambience / restaurant noise""",
    (): """
        vinyl crackle / vinyl noise / crackle / record crackle / needle drop / vinyl hiss; tape hiss / tape noise / tape wobble / tape stop; record scratch / record scratching / scratching / turntable / turntables / turntablism / turntablist / dj scratching / scratches / dj scratches; applause / crowd cheering / cheering / crowd sounds / crowd chant / laughter / laughing;
        risers / riser / uplifter / build up riser / downlifter / noise riser; impacts / impact hits / cinematic hits / sub drop / whoosh / whooshes / swoosh / stinger / braam hit; sirens / siren / police siren; gunshots / gunshot / gun sounds / explosions / explosion; sound effects / sfx / sound effect / foley;
        engine noise / car engine / motorcycle / train sounds / helicopter / airplane noise; animal sounds / dog barking / barking / cat meowing / meow / meowing / rooster / cow mooing / lion roar / roars; telephone ring / phone ringing / radio static / static noise / radio chatter / typewriter / clock ticking / ticking clock / heartbeat / footsteps / camera click / door slam / glass breaking / cash register;
        stutter edits / stutter / glitch effects / glitches / bitcrushed / bit crushed / bitcrusher; reversed sounds / reverse cymbal / reversed piano / backmasking / reversed guitar; sidechain / sidechain compression / sidechained / pumping sidechain; samples from films / movie samples / sample chops / chopped samples; stereo panning / binaural / binaural beats / asmr / 8d audio;
        fireworks; mouth sounds / coughing / breathing / sighs / moans / kissing sounds / snoring""",
}  # fmt: skip

# What is said of a sound without being it, or sounds like one and is none.
NO_SOUND = (
    "shout", "gospel shout", "ring shout", "shout chorus", "drum and bass", "d and b", "bass drop", "bass heavy", "heavy bass", "bass boosted", "bass music", "bass clef", "future bass", "miami bass", "bass house", "organic", "house organ", "horn of africa",
    "triangle wave", "key of", "voice leading", "own voice", "triangle of", "chorus effect", "verse and chorus", "boom bap", "boom boom", "wave goodbye", "new wave", "dark wave", "cold wave", "bell bottoms", "saved by the bell",
    "spoken of", "speech bubble", "sub genre", "pipe dream", "harmony", "vibes", "good vibes", "record label", "sample rate", "free sample", "string of", "whip pan", "in the wind", "wind down", "wind up", "gone with the wind", "talking about",
    "talking heads", "strings attached", "harp on", "crowd pleaser", "crowd pleasing", "triangle love", "cold sweat", "siren song", "rap beat", "trap beat", "audience of", "young audience", "for an audience", "singing in the rain",
    "beats per minute", "beats a minute", "beats per bar", "beats a bar", "beats in a bar", "beats to the bar", "beats in each bar", "singing guitar", "singing violin", "singing tone", "crying guitar", "growling bass", "screaming guitar", "talking guitar",
    "singing lead", "voice of the", "vocal like", "heartbeat of", "engine of", "boom town", "stutter step", "hook", "big horn", "steel string", "tenor of", "opera house", "song", "love song", "monk like", "fire", "new age", "wave", "laser focused",
    "bell curve", "triangle offense", "tres bien", "or nay", "organ donor", "horn of plenty", "cold snap", "tap water", "pad thai", "launch pad",
    "piano tuner", "string theory", "string cheese", "whip cream",
    "metronome marking", "metronome mark", "at metronome", "tempo metronome", "free as a bird", "early bird", "bird of paradise", "bird blues", "bird changes", "harp seal", "sea bass", "bass fishing", 
    "ring a bell", "taco bell", "bermuda triangle", "champagne flute", "string bean", "string bikini", "g string", "piano man", "choir boy", "ear drum", "oil drum",
    "drum up", "rap sheet", "rap on the door", "horn rimmed", "shoe horn", "beat generation", "beat up", "beat around the bush", "beat the odds", "beat the clock", "skip a beat", 
    "voice of reason", "whistle blower", "whistle stop", "pipe smoke", "tap dancer", "organ transplant", "internal organ", "keyboard warrior", "bells and whistles", "hell s bells", "for whom the bell tolls",
    "sing along", "stomp and holler", "alarm clock", "soap opera", "space opera", "rock opera", "waves of", "heat waves", "wave of", 
)  # fmt: skip


# Tunes whose names are read as names before "changes" and "chords", whatever their capitals.
TUNES = (
    "giant steps", "99 red balloons", "summer of 69", "a day in the life", "autumn leaves", "all the things you are", "all of me", "blue bossa", "blue monk", "blue in green", "all blues", "freddie freeloader", "so what",
    "st thomas", "saint thomas", "take five", "take the a train", "girl from ipanema", "the girl from ipanema", "stella by starlight", "misty", "summertime",
    "my funny valentine", "round midnight", "cherokee", "donna lee", "confirmation", "lady bird", "satin doll", "cantaloupe island", "watermelon man",
    "footprints", "countdown", "moment notice", "26 2", "impressions", "night in tunisia", "a night in tunisia", "black orpheus", "manha de carnaval", "corcovado",
    "how high the moon", "there will never be another you", "just friends", "body and soul", "fly me to the moon", "sweet georgia brown",
    "minor swing", "oye como va", "caravan", "killer joe", "mack the knife", "beautiful love", "solar", "tune up", "oleo", "anthropology",
    "hotel california", "let it be", "hey jude", "yesterday", "imagine", "hallelujah", "wonderwall", "stairway to heaven", "creep", "no woman no cry",
    "house of the rising sun", "knocking on heavens door", "sweet home alabama", "smoke on the water", "bohemian rhapsody", "billie jean", "with or without you",
    "stand by me", "louie louie", "la bamba", "twist and shout", "clair de lune", "moonlight sonata", "fur elise", "greensleeves", "amazing grace",
    "happy birthday", "jingle bells", "silent night", "auld lang syne", "danny boy", "scarborough fair", "swan lake", "the nutcracker", "ode to joy", "ave maria",
    "o sole mio", "besame mucho", "la cucaracha", "el condor pasa", "la vie en rose", "les feuilles mortes", "what a wonderful world", "somewhere over the rainbow",
    "over the rainbow", "take me home country roads", "country roads", "when the saints go marching in", "oh when the saints", "cotton eye joe", "orange blossom special",
    "georgia on my mind", "blue moon", "moon river", "my way", "feeling good", "nardis", "blue skies", "on green dolphin street", "naima", "recorda me",
    "seven nation army", "sweet child o mine", "nothing else matters", "enter sandman", "back in black", "purple rain", "superstition", "get lucky", "blinding lights",
    "shape of you", "someone like you", "rolling in the deep", "clocks", "viva la vida", "dancing queen", "mamma mia", "take on me", "sweet dreams", "eye of the tiger",
    "twinkle twinkle little star", "twinkle twinkle", "mary had a little lamb", "row row row your boat", "old macdonald", "deck the halls", "we wish you a merry christmas", "o holy night",
    "little drummer boy", "carol of the bells", "last christmas", "white christmas", "let it snow", "here comes the sun", "blackbird", "eleanor rigby", "come together", "hotel california",
    "free bird", "wish you were here", "comfortably numb", "star spangled banner", "god save the king", "la marseillaise", "bella ciao", "hava nagila", "korobeiniki",
    "gymnopedie", "gymnopedie no 1", "the entertainer", "maple leaf rag", "in the mood", "sing sing sing", "air on the g string", "flight of the bumblebee",
)  # fmt: skip

# Percussion with and without a pitch: what is near drums and sounds a note, and what is near bells and sounds none.
_PITCHED = {"timpani", "jaw harp", "808"}
_UNPITCHED_METAL = {"gong", "triangle", "agogo", "finger cymbals", "bell tree"}
_DRUMS = {"drum kit", "toms", "claps", "shaker", "congas", "claves", "rimshot"}
# Parts of music that a "no" denies as it denies a sound: "no melody techno".
_PARTS = (
    "melody", "chord", "harmony", "reverb", "effect", "fx", "intro", "outro", "breakdown", "build up", "riff", "distortion", "delay", "echo", "hook",
    "drop", "fill", "bass drop", "drum fill", "key change", "tempo change", "other instrument", "other sound", "tag", "producer tag", "rhythm section", "arpeggio",
)  # fmt: skip


def _players(words):
    """Return what those are called who play an instrument of these words: "sitarist", "koto player"."""
    single = [word for word in words if " " not in word]
    return [
        *(f"{word.rstrip('aeo')}ist" for word in single),
        *(f"{word}ist" for word in single),
        *(f"{word} player" for word in words),
    ]


def _near():
    """Yield (name, words, what it is near to) of the sounds that are near to others."""
    for near, text in NEAR.items():
        for name, words in table(text).items():
            yield name, words, near


@cache
def nearest():
    """Return {name: (what it is near to, ...)} of every sound known here; common ones are near to nothing."""
    return {**{name: near for name, _, near in _near()}, **dict.fromkeys(COMMON, ())}


@cache
def words_for():
    """Return {name: its words} of every sound known here."""
    return {**{name: words for name, words, _ in _near()}, **COMMON}


@cache
def unpitched():
    """Return the names of percussion that sounds no note: a piece for it alone has no chords."""
    near_drums = {name for name, _, near in _near() if near and set(near) <= _DRUMS}
    return frozenset((near_drums | _DRUMS | _UNPITCHED_METAL) - _PITCHED)


@cache
def drums():
    """Return the names of drums: what of the percussion is a drum or a set of them, not small things such as a shaker."""
    return frozenset(name for name, _, near in _near() if near and near[0] in ("congas", "toms", "drum kit")) | {
        "drum kit",
        "toms",
        "congas",
    }


@cache
def _nouns():
    tunes = (tune for tune in TUNES if " " in tune)
    return Phrases([*((part, True) for part in (*_PARTS, *tunes)), *_entries()])


@lru_cache(64)
def words_of(prompt):
    """Return the Words of a prompt, titles apart: a denial covers the sound after it, not what stands behind: "no vocals techno"."""
    return tuple(read_words(without_titles(prompt), _nouns()))


@cache
def known_phrases():
    """Return `phrases()`, made once."""
    return phrases()


def phrases(own=()):
    """Return the Phrases for sounds: what is found is a tuple of names, any of which will do.

    own: {name: words} that come before the words known here. What is written more exactly hides the rest: "bass clarinet" is no bass.
    """
    return Phrases(_entries(own))


def _entries(own=()):
    """Return [(phrase, names)] of all sounds, `own` first."""
    entries = [(word, (name,)) for name, words in dict(own).items() for word in (name, *words)]
    entries += [(phrase, None) for phrase in NO_SOUND]
    entries += [(word, (name,)) for name, words in COMMON.items() for word in words]
    entries += [(word, names) for words, names in KINDS.items() for word in words.split(" / ")]
    entries += [(word, (name,)) for name, words, _ in _near() for word in words]
    entries += [(word, (name,)) for name, words in words_for().items() for word in _players(words)]
    return entries
