"""Stage `unpack`: from rules/unpack.smk to s2v/data/unpack.py."""

from pathlib import Path

from adapter import job, paths

with job(snakemake) as settings:
    from s2v.data.unpack import run

    run(
        # The rule's param has no password in it.
        tar=snakemake.config["data"]["videos"]["tars"][int(snakemake.wildcards.tar)],
        manifest=paths(snakemake.input.manifest),
        video_dir=Path(snakemake.params.videos, "videos"),
        output=Path(snakemake.output.listing),
        download=settings.runtime.download,
    )
