# G: the instance-conditioned BigGAN, trained on pictures and their features alone (paper 3.2).
rule generator:
    input:
        packs=PLAN.unless_published("generator", PLAN.packs(*CONFIG.generator.splits)),
        features=PLAN.unless_published("generator", PLAN.cached("embed", CONFIG.generator.splits)),
        encoder=PLAN.model("encoder"),
    output:
        expand(
            "<results>/{{again}}generator/{file}",
            file=[*TRAINED, *PLAN.unless_published("generator", ["discriminator.safetensors"])],
        ),
    log:
        "<logs>/{again}generator.log",
    benchmark:
        "<benchmarks>/{again}generator.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("generator")
    resources:
        mem_mb=PLAN.memory("generator"),
        runtime=PLAN.minutes("generator"),
        gpu=PLAN.gpus("generator"),
    params:
        config=PLAN.trained_with("generator"),
        code=PLAN.code("generator"),
    script:
        "../workflow_scripts/generator.py"
