# G: the instance-conditioned BigGAN, trained on pictures and their features alone (paper 3.2).
rule generator:
    input:
        packs=unless_published("generator", packs(*CONFIG.generator.splits)),
        features=unless_published(
            "generator", expand("<results>/embed/{split}.safetensors", split=CONFIG.generator.splits)
        ),
        encoder="<results>/encoder/model.safetensors",
        encoder_config="<results>/encoder/config.json",
    output:
        expand(
            "<results>/generator/{file}",
            file=[*TRAINED, *unless_published("generator", ["discriminator.safetensors"])],
        ),
    log:
        "<logs>/generator.log",
    benchmark:
        "<benchmarks>/generator.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(memory("generator")),
        runtime=minutes("generator"),
        gpu=GPUS,
    params:
        config=values("generator"),
        code=published_digest("generator") or code_digest("s2v.train.generator"),
    script:
        "../workflow_scripts/generator.py"
