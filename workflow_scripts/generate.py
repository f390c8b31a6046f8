"""Stage `generate`: from rules/generate.smk to s2v/evaluate/generate.py."""

from adapter import folder, job, optional, paths

with job(snakemake) as settings:
    from s2v.config import EmbedUnclipConfig, GenerateConfig
    from s2v.config.methods import PARTS
    from s2v.evaluate.generate import run

    run(
        config=GenerateConfig(**snakemake.params.config),
        method=snakemake.params.entry["source"] or snakemake.wildcards.method,
        seeds=[int(file.stem) for file in paths(snakemake.output.pictures)],
        training=snakemake.params.training,
        frame=snakemake.params.frame,
        packs=paths(snakemake.input.packs),
        train_packs=paths(snakemake.input.train_packs),
        parts={name: folder(files) for name in PARTS if (files := snakemake.input.get(name))},
        settings=snakemake.params.settings,
        embed_unclip=EmbedUnclipConfig(**embed) if (embed := snakemake.params.embed_unclip) else None,
        outputs=paths(snakemake.output.pictures),
        classes=optional(snakemake.input.classes),
        window_at=snakemake.params.window_at,
        runtime=settings.runtime,
        threads=settings.threads,
    )
