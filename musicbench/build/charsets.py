"""Text in any usual encoding: UTF by its marks or its form, others by the letters and the characters that a language
uses most."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE

MARKS = (
    (BOM_UTF8, "utf-8-sig"), (BOM_UTF32_LE, "utf-32"), (BOM_UTF32_BE, "utf-32"), (BOM_UTF16_LE, "utf-16"),
    (BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
SIGNS = "“”‘’„–—…•«»°´½×¿¡ªº©®™€£§\xa0"  # in texts of any language
LANGUAGES = {  # letters beside ASCII
    "Western": (
        "àâçéèêëîïôùûüœæ", "äöüßé", "áéíñóúü", "áâãàçéêíóôõúü", "àèéìíòóùú", "åäöé", "æøåéó", "éèëïóöü", "àçéèíïòóúü",
        "àáâãäåçèéêëìíîïñòóôõöøùúûüßæœ",
    ),
    "Turkish": ("çğıöşüâîûi̇",),
    "Central European": (
        "ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž",
        "áâäąćčçďđéęëěíîĺľłńňóôöőŕřśšťúůüűýźžżß",
    ),
}  # fmt: skip
LATIN = (  # (encoding, its name, its languages)
    ("cp1252", "Windows-1252", "Western"), ("cp1254", "Windows-1254", "Turkish"),
    ("cp1250", "Windows-1250", "Central European"),
    ("iso8859-2", "ISO 8859-2", "Central European"), ("mac_roman", "Mac Roman", "Western"),
    ("cp850", "code page 850", "Western"),
)  # fmt: skip
NOT_WESTERN = re.compile("õ(?!e)")  # the Hungarian ő in Windows-1252
CYRILLIC = "оеаинтсрвлкмдпуяы"
CYRILLICS = (  # (encoding, its name, script as a range, its most frequent letters)
    ("cp1251", "Windows-1251", "Ѐ-ӿ", CYRILLIC), ("koi8-r", "KOI8-R", "Ѐ-ӿ", CYRILLIC),
    ("cp866", "code page 866", "Ѐ-ӿ", CYRILLIC),
    ("iso8859-5", "ISO 8859-5", "Ѐ-ӿ", CYRILLIC), ("mac_cyrillic", "Mac Cyrillic", "Ѐ-ӿ", CYRILLIC),
)  # fmt: skip
ALPHABETS = (
    *CYRILLICS,
    ("cp1253", "Windows-1253", "Ͱ-Ͽ", "αοιετσνηυρπκμλάέήίόύώς"), ("cp1255", "Windows-1255", "֐-׿", "יוהלאתרבשמנםעקחגד"),
    ("cp1256", "Windows-1256", "؀-ۿ", "المنيورتبدسعهةفىق"),
    ("cp874", "Windows-874", "฀-๿", "านรอเกงมยลวดทสตะปบคหแจใไพชโขถ่้ัีิุู์ื็"),
)  # fmt: skip
PAIRS = (  # (encoding, its name, first bytes of usual characters, pattern that some must match)
    ("cp932", "Shift-JIS", (range(0x81, 0x98),), ""), ("euc_jp", "EUC-JP", (range(0xA1, 0xD0),), "[ぁ-ヿ]"),
    ("cp949", "EUC-KR", (range(0xA1, 0xA4), range(0xB0, 0xC9)), ""),
    ("gb18030", "GBK", (range(0xA1, 0xA4), range(0xB0, 0xD8)), ""),
    ("big5", "Big5", (range(0xA1, 0xC7),), ""),
)  # fmt: skip
FITS, MARGIN = 0.6, 0.08  # the least share of frequent letters; by how much it is above that of every other encoding
PAIRS_FIT, LEAST_PAIRS = 0.9, 5
MOST = 1 << 20  # bytes by which an encoding is told


def decoded(data):
    """Return (text, encoding) of bytes: "" of plain UTF-8, 16 or 32, else its name.

    None as the text where the encoding is not clear.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace"), ""
    zeros = data[:2000].count(0)
    if zeros > len(data[:2000]) / 4:  # every other byte, in a Latin script
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be", "replace"), ""
    if re.search(rb"\x1b\$[@B]", data):
        return data.decode("iso2022_jp", "replace"), "ISO-2022-JP"
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        return _decoded_by_line(data)


def twice_decoded(text):
    """Return a text as it was before its UTF-8 was taken for Windows-1252 ("CafÃ©" for "Café"); any other as it is."""
    try:
        return text if text.isascii() else text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text


def _decoded_by_line(data):
    """Decode bytes of which some lines are no UTF-8."""
    lines, others, size = re.split(rb"(?<=[\r\n])", data), [], 0
    has_utf8 = False
    for line in lines:
        try:
            has_utf8 |= not line.decode("utf-8").isascii()
        except UnicodeDecodeError:
            size += len(line)
            others += [line] if size < MOST or not others else []
    encoding, name = _encoding_of(b"".join(others))
    if not encoding:
        return None, ""
    return "".join(_utf8_or(line, encoding) for line in lines), f"UTF-8 and {name}" if has_utf8 else name


def _utf8_or(line, encoding):
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode(encoding, "replace")


def _encoding_of(data):
    """Return (encoding, its name) of bytes, ("", "") where it is not clear."""
    if b"\0" in data or len(data.translate(None, bytes(range(1, 9)) + bytes(range(14, 27)))) < len(data):
        return "", ""  # no text
    return _latin(data) or _alphabet(data, CYRILLICS) or _pairs(data) or _alphabet(data, ALPHABETS) or ("", "")


def _texts(data, table):
    """Yield (text, row) for each row of a table in whose encoding the bytes are valid."""
    for row in table:
        try:
            yield data.decode(row[0]), row
        except UnicodeDecodeError:
            continue


def _latin(data):
    """Return (encoding, name) in which a text's letters are those of one Latin language, or of several.

    None where there is none.
    """
    fitting = []
    for text, (encoding, name, languages) in _texts(data, LATIN):
        others = re.findall(r"[^\x00-\x7f]", text)
        words = re.findall(r"[^\W\d_]+", text)
        letters = {letter for letter in "".join(words).lower() if letter.isalpha() and not letter.isascii()}
        accents = sum(letter not in SIGNS for letter in others)
        is_latin = accents <= 0.4 * sum(map(len, words)) and _is_between(text, others) and _case_is_right(words)
        is_usual = all(letter.isalpha() or letter in SIGNS for letter in others)
        if is_latin and is_usual and not (languages == "Western" and NOT_WESTERN.search(text)):
            *single, together = [letters <= set(alphabet) for alphabet in (*LANGUAGES[languages], LANGUAGES[languages][-1])]
            fitting.append((0 if any(single[:-1]) else 1 if together else 2, encoding, name))
    best = min(fitting, key=lambda fit: fit[0], default=(2,))
    return best[1:] if best[0] < 2 else None


def _is_between(text, others):
    """Tell whether what is not ASCII lies between ASCII letters, as accents do, and makes no words of its own."""
    return sum(map(len, re.findall(r"[^\x00-\x7f]{3,}", text))) <= len(others) / 2


def _case_is_right(words):
    """Tell whether nearly no word has a capital after a small letter."""
    return sum(bool(re.search(r"[^\W\d_]", word)) and _is_mixed(word) for word in words) <= len(words) / 20


def _is_mixed(word):
    return any(a.islower() and b.isupper() for a, b in zip(word, word[1:], strict=False)) and not word.isascii()


def _alphabet(data, table):
    """Return (encoding, name) of the script in whose usual letters a text is; None where two are alike, or none is."""
    shares = []
    for text, (encoding, name, script, frequent) in _texts(data, table):
        others = re.findall(r"[^\x00-\x7f“”‘’„–—…«»№°\xa0]", text)
        own = [letter for letter in others if re.match(f"[{script}]", letter)]
        words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
        is_pure = sum(bool(re.search("[A-Za-z]", word)) for word in words) <= len(words) / 10
        has_vowels = script != "Ѐ-ӿ" or sum(letter in "аеиоуыэюяіїє" for letter in own) >= 0.3 * len(own)
        if others and len(own) >= 0.95 * len(others) and is_pure and has_vowels and _case_is_right(words):
            shares.append((sum(letter in frequent for letter in own) / len(own), script, encoding, name))
    if not shares:
        return None
    share, script, encoding, name = max(shares, key=lambda entry: entry[0])
    if share < FITS or any(other[0] > share - MARGIN and other[1] != script for other in shares):
        return None
    return next(entry[2:] for entry in shares if entry[1] == script and entry[0] > share - MARGIN)


def _pairs(data):
    for text, (encoding, name, firsts, needed) in _texts(data, PAIRS):
        others = re.findall(r"[^\x00-\x7f]", text)
        pairs = [letter.encode(encoding) for letter in others]
        usual = [pair for pair in pairs if len(pair) == 2 and any(pair[0] in first for first in firsts)]
        is_plain = encoding not in ("cp949", "gb18030") or all(pair[1] > 0xA0 for pair in usual)
        has_needed = not needed or len(re.findall(needed, text)) > len(others) / 8
        if len(others) >= LEAST_PAIRS and len(usual) >= PAIRS_FIT * len(others) and has_needed and is_plain:
            return encoding, name
    return None
