"""Words of styles, as they stand beside chords and numbers."""

GENRE_WORDS = set(
    """
    country gospel breaks polka bebop vaporwave dancehall ebm ukg hard drum blues ballad waltz march latin cumbia tango
    rnb techno house trance dnb d&b dubstep trap drill garage jungle hardstyle hardcore edm electro breakbeat phonk
    disco beat beats groove grime reggaeton amapiano ambient hop hiphop lofi lo-fi downtempo bass step psytrance
    footwork juke gabber rave club dance pop rock metal punk funk soul r&b jazz swing bossa samba salsa loop track song
    moombahton dembow afrobeat afrobeats synthwave eurodance nightcore dub ska reggae riddim bounce
    """.split()
)
