# From a sound to the VQ-VAE's latents, stage 2 of Pedersoli et al. (paper, Fig. 15).
rule pedersoli_audio:
    input:
        packs=PLAN.packs("train"),
        vqvae=PLAN.model("pedersoli_vqvae"),
    output:
        expand("<results>/{{again}}pedersoli_audio/{file}", file=TRAINED),
    log:
        "<logs>/{again}pedersoli_audio.log",
    benchmark:
        "<benchmarks>/{again}pedersoli_audio.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("pedersoli_audio")
    resources:
        mem_mb=PLAN.memory("pedersoli_audio"),
        runtime=PLAN.minutes("pedersoli_audio"),
        gpu=PLAN.gpus("pedersoli_audio"),
    params:
        config=PLAN.trained_with("pedersoli_audio"),
        code=PLAN.code("pedersoli_audio"),
    script:
        "../workflow_scripts/pedersoli_audio.py"
