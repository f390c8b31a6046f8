# AudioToken's embedder: one word of a sound, trained through the frozen text-conditioned diffusion model.
rule audiotoken:
    input:
        train=PLAN.packs("train"),
        val=PLAN.packs("val"),
        tagger=PLAN.model("tagger"),
        diffusion=PLAN.model("text_diffusion"),
        vae=PLAN.model("vae"),
    output:
        expand("<results>/{{again}}audiotoken/{file}", file=TRAINED),
    log:
        "<logs>/{again}audiotoken.log",
    benchmark:
        "<benchmarks>/{again}audiotoken.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("audiotoken")
    resources:
        mem_mb=PLAN.memory("audiotoken"),
        runtime=PLAN.minutes("audiotoken"),
        gpu=PLAN.gpus("audiotoken"),
    params:
        config=PLAN.trained_with("audiotoken"),
        code=PLAN.code("audiotoken"),
    script:
        "../workflow_scripts/audiotoken.py"
