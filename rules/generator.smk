# G: the instance-conditioned BigGAN, trained on pictures and their features alone (paper 3.2).
rule generator:
    input:
        packs=unless_published("generator", packs(*CONFIG.generator.splits)),
        features=lambda wildcards: unless_published(
            "generator",
            [
                f"<results>/{own('embed', wildcards)}/{split}.safetensors"
                for split in CONFIG.generator.splits
            ],
        ),
        encoder=lambda wildcards: trained(own("encoder", wildcards)),
    output:
        expand(
            "<results>/{{again}}generator/{file}",
            file=[*TRAINED, *unless_published("generator", ["discriminator.safetensors"])],
        ),
    log:
        "<logs>/{again}generator.log",
    benchmark:
        "<benchmarks>/{again}generator.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: TRAINING_THREADS
    resources:
        mem_mb=growing(memory("generator")),
        runtime=minutes("generator"),
        gpu=GPUS,
    params:
        config=trained_with("generator"),
        code=published_digest("generator") or code_digest("s2v.train.generator"),
    script:
        "../workflow_scripts/generator.py"
