"""Command line: python -m musicbench build | plan | inspect | jams | push | compose."""

import sys

from musicbench import InputError, Parser, __version__, check_installed, number, positive, run_command, whole


def build_parser():
    parser = Parser("musicbench", description="Make training rows for text-to-music models.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    build = commands.add_parser(
        "build",
        help="folder of songs -> dataset of captioned, augmented clips",
        description="Cut songs into clips, hear their beats, chords and key, copy them with pitch, tempo and dynamics changed, "
        "caption them, write rows. Run again to go on. Exit status: 0 if there are rows, 1 if there are none, or with --strict "
        "if a song was rejected that is not a copy (see OUT/rejected.jsonl), 2 if it could not be done, or not to its end.",
    )
    build.add_argument(
        "songs",
        metavar="SONGS",
        help="folder of audio files, or its URL; captions from .txt, .json, a manifest such as metadata.csv, or a genre tag",
    )
    build.add_argument("out", metavar="OUT", help="dataset folder to write, or its URL")
    build.add_argument(
        "--work", metavar="DIR", help="where OUT is a URL: the folder to build in (default: one in ~/.cache/musicbench)"
    )
    build.add_argument(
        "--recipe", default="musicbench", help="musicbench (11 copies a clip), plain (none) or a TOML file (default %(default)s)"
    )
    build.add_argument("--seed", type=whole, default=0, help="of all that is drawn (default 0)")
    build.add_argument(
        "--hear",
        choices=("madmom", "librosa", "essentia", "none"),
        default="madmom",
        help="what hears beats, chords and keys; labels by madmom are for non-commercial use (default madmom)",
    )
    build.add_argument(
        "--least",
        type=number,
        metavar="SHARE",
        help="leave out a tempo, meter or key whose confidence is lower, 0 to 1 (default .8, .9 and .78; 0 keeps all)",
    )
    build.add_argument(
        "--agree",
        choices=("madmom", "librosa", "essentia"),
        help="a second detector that must hear the same, or a label is left out",
    )
    build.add_argument("--workers", type=positive, default=1, help="processes (default 1)")
    build.add_argument("--engine", choices=("local", "ray"), default="local", help="ray: tasks on a Ray cluster (default local)")
    build.add_argument("--address", help="with --engine ray: the cluster's address (default: a cluster on this machine)")
    build.add_argument(
        "--paraphrase",
        default="rules",
        metavar="WAY",
        help="rules, the folder of a text2text model, or the URL of an OpenAI-compatible service",
    )
    build.add_argument("--paraphrase-model", metavar="NAME", help="the service's model")
    build.add_argument(
        "--captioner",
        metavar="WAY",
        help="captions of songs without any: an audio-to-text model's folder, clap=FOLDER with tags.txt, or a service's URL",
    )
    build.add_argument("--captioner-model", metavar="NAME", help="the service's model")
    forms = build.add_mutually_exclusive_group()
    forms.add_argument(
        "--rows-only",
        action="store_true",
        help="write no audio: a copy is made when it is read (musicbench.load), the same samples",
    )
    forms.add_argument(
        "--webdataset", action="store_true", help="write tar shards of about 1 GB, OUT/shards, in place of single files"
    )
    forms.add_argument("--parquet", action="store_true", help="write Parquet shards in place of single files (needs pyarrow)")
    build.add_argument(
        "--audio", choices=("flac", "opus"), default="flac", help="opus is a tenth as large and not lossless (default flac)"
    )
    build.add_argument(
        "--split-by",
        metavar="COLUMN",
        help="songs with the same value share a split: artist or another column of a manifest, or tag of the files",
    )
    build.add_argument(
        "--drop-duplicates", action="store_true", help="leave out songs that are the same recording as another, by sound"
    )
    build.add_argument("--overwrite", action="store_true", help="where settings changed, make anew what depends on them")
    build.add_argument("--accept-versions", action="store_true", help="go on though libraries have other versions now")
    build.add_argument("--strict", action="store_true", help="exit with 1 if a song was rejected that is not a copy")

    plan = commands.add_parser(
        "plan",
        help="how much a build would make, and how long it would take",
        description="Tell from a sample of the songs how many hours, rows and bytes a build would make of them, and how many hours it "
        "would take of a core of this machine, each with an interval of 95 %. Nothing is written.",
    )
    plan.add_argument("songs", metavar="SONGS", help="folder of audio files, or its URL")
    plan.add_argument("--recipe", default="musicbench", help="as for build (default %(default)s)")
    plan.add_argument("--rows-only", action="store_true", help="as for build")
    plan.add_argument("--seed", type=whole, default=0, help="of the sample (default 0)")

    inspect = commands.add_parser("inspect", help="dataset folder -> one HTML page to look at and listen to")
    inspect.add_argument("folder", metavar="OUT", help="dataset folder")
    inspect.add_argument("--rows", type=positive, default=20, help="random rows to show (default 20)")
    inspect.add_argument("--seed", type=whole, default=0, help="of the random rows (default 0)")

    jams = commands.add_parser(
        "jams",
        help="dataset folder -> a JAMS file of each row",
        description="Write the labels of each row as a JAMS file: beat_position, chord_harte, key_mode, tempo, file_metadata.",
    )
    jams.add_argument("folder", metavar="OUT", help="dataset folder, or a file of rows such as MusicBench_train.json")
    jams.add_argument(
        "-o", "--out", required=True, metavar="DIR", help="folder to write; files there of the same rows are replaced"
    )
    push = commands.add_parser(
        "push",
        help="upload a dataset folder to the Hugging Face hub",
        description="Upload the card, rows and audio of a dataset folder to the hub, private unless --public is given. The token is that "
        "of `hf auth login`, or HF_TOKEN. Run again to go on, or to upload what changed.",
    )
    push.add_argument("folder", metavar="OUT", help="dataset folder, as `musicbench build` writes it")
    push.add_argument("repo_id", metavar="OWNER/NAME", help="the dataset on the hub, made where it is not there")
    push.add_argument("--public", action="store_true", help="for everybody to see")

    compose = commands.add_parser("compose", help="compose, render and label pieces by seed")
    compose.add_argument("-o", "--out", required=True, metavar="DIR", help="dataset folder; what is there is kept")
    compose.add_argument("--count", type=positive, default=100, help="pieces (default 100)")
    compose.add_argument("--seed", type=whole, default=0, help="first seed; pieces take seed, seed+1, ... (default 0)")
    compose.add_argument("--duration", type=number, default=10.24, help="seconds (default 10.24)")
    compose.add_argument("--sample-rate", type=positive, default=24000, help="Hz (default 24000)")
    compose.add_argument("--workers", type=positive, default=1, help="processes (default 1)")
    compose.add_argument(
        "--soundfont", help="SF2 or SF3 file, the only one (default: $MUSICBENCH_SOUNDFONT, else those installed, mixed)"
    )
    compose.add_argument("--styles", default="", metavar="A,B", help="styles to draw from (default: all)")
    compose.add_argument(
        "--apart", type=number, default=0.0, metavar="SHARE",
        help="share of the pieces, 0 to 1, of which some parts alone are kept (default 0)",
    )  # fmt: skip
    return parser


def build(options):
    """Run `musicbench build`; returns 1 if there are no rows, or with --strict if any song was rejected."""
    check_installed("the build", "build", "python_stretch", "jinja2", "matplotlib")
    from dataclasses import replace
    from functools import partial

    from tqdm import tqdm

    from musicbench.build.build import build as build_dataset
    from musicbench.build.columns import plain_name
    from musicbench.build.engines import Engine
    from musicbench.build.packing import check_parquet
    from musicbench.build.recipe import Recipe
    from musicbench.build.remote import is_url
    from musicbench.build.settings import Settings

    if options.address and options.engine != "ray":
        raise InputError(f"--address {options.address} is for --engine ray; give that too, or leave --address out")
    if options.work and not is_url(options.out):
        raise InputError(f"--work {options.work} is for a dataset at a URL, which {options.out} is not; leave it out")
    if options.parquet:
        check_parquet()
    if options.rows_only and options.audio != "flac":
        raise InputError(f"--audio {options.audio} is of audio that is written; leave it out, or --rows-only")
    recipe = Recipe.of(options.recipe)
    paraphrase = options.paraphrase, options.paraphrase_model
    form = next((form for form in ("rows_only", "webdataset", "parquet") if getattr(options, form)), "files").removesuffix("_only")
    if options.captioner_model and not options.captioner:
        raise InputError(f"--captioner-model {options.captioner_model} is of a service; give its URL as --captioner")
    captioner = options.captioner or "", options.captioner_model
    settings = Settings(recipe, options.seed, paraphrase, _hearing(options), captioner, form, options.audio)
    settings = replace(settings, split_by=plain_name(options.split_by or ""), drop_duplicates=options.drop_duplicates)
    with (
        tqdm(desc="comparing", unit="song", delay=0.01) as songs_bar,  # none where nothing is done
        tqdm(desc="building", unit="clip", smoothing=0.05, delay=0.01) as bar,
    ):

        def progress(done, total, bar=bar):
            bar.total = total
            bar.update(done - bar.n)
            if bar is songs_bar and done == total:
                bar.close()

        made = build_dataset(
            options.songs,
            options.out,
            settings,
            engine=Engine(options.engine, options.workers, options.address),
            overwrite=options.overwrite,
            accept_versions=options.accept_versions,
            work=options.work,
            on_progress=progress,
            on_compared=partial(progress, bar=songs_bar),
        )
    same = f" ({made.same_songs} the same as another)" if made.same_songs else ""
    print(
        f"{made.rows} rows of {made.songs - made.rejected_songs} songs in {options.out}; "
        f"rejected (see rejected.jsonl): {made.rejected_songs} songs{same}, {made.rejected_clips} clips"
    )
    if made.contradicted_songs:
        print(f'captions of {made.contradicted_songs} songs contradict what was heard in them (see "contradicted" in rows.jsonl)')
    return 1 if not made.rows or (options.strict and made.rejected_songs > made.same_songs) else 0


def _hearing(options):
    """Return how a build's songs are heard. Raises InputError."""
    from musicbench.hearing.song import Hearing

    least = {} if options.least is None else {"least": dict.fromkeys(("tempo", "meter", "key"), options.least)}
    return Hearing(options.hear, options.agree or "", **least)


def plan(options):
    """Run `musicbench plan`."""
    check_installed("the plan", "build", "python_stretch")
    from musicbench.build.plan import plan_build
    from musicbench.build.recipe import Recipe
    from musicbench.build.settings import Settings

    settings = Settings(Recipe.of(options.recipe), options.seed, form="rows" if options.rows_only else "files")
    print(plan_build(options.songs, settings))
    return 0


def inspect(options):
    """Run `musicbench inspect`."""
    check_installed("the report", "build", "jinja2", "matplotlib")
    from musicbench.build.report import write_report

    print(write_report(options.folder, options.rows, options.seed))
    return 0


def jams(options):
    """Run `musicbench jams`."""
    from musicbench.build.dataset import each_row, rows_file
    from musicbench.build.jams import write_jams
    from musicbench.files import check_folder, make_folder

    rows_file(options.folder)
    check_folder(options.out)
    make_folder(options.out)
    print(f"{write_jams(each_row(options.folder), options.out)} JAMS files in {options.out}")
    return 0


def push(options):
    """Run `musicbench push`."""
    from musicbench.build.pushing import push as push_dataset

    print(push_dataset(options.folder, options.repo_id, is_public=options.public))
    return 0


def compose(options):
    """Run `musicbench compose`."""
    from musicbench.build.composed import Composer, write_composed

    if not 1 <= options.duration <= 600:
        raise InputError(f"duration {options.duration:g} s is outside 1-600; give seconds")
    if not 0 <= options.apart <= 1:
        raise InputError(f"apart {options.apart:g} is outside 0-1; give a share of the pieces")
    styles = tuple(name.strip() for name in options.styles.split(",") if name.strip())
    composer = Composer(options.duration, options.sample_rate, options.soundfont, styles, options.apart)
    made = write_composed(options.out, options.count, options.seed, composer, options.workers)
    print(f"{made} pieces composed into {options.out}")
    return 0


def main(arguments=None):
    """Run the command line; returns the exit status."""
    options = build_parser().parse_args(arguments)
    commands = {"build": build, "plan": plan, "inspect": inspect, "jams": jams, "push": push, "compose": compose}
    command = commands[options.command]
    return run_command("musicbench", command, options, "stopped; run again to go on")


if __name__ == "__main__":
    sys.exit(main())
