# The VQ-VAE of pictures, stage 1 of Pedersoli et al. (paper, Fig. 15).
rule pedersoli_vqvae:
    input:
        packs=PLAN.packs(*CONFIG.pedersoli_vqvae.splits),
    output:
        expand("<results>/{{again}}pedersoli_vqvae/{file}", file=TRAINED),
    log:
        "<logs>/{again}pedersoli_vqvae.log",
    benchmark:
        "<benchmarks>/{again}pedersoli_vqvae.tsv"
    conda:
        "../envs/s2v.yaml"
    threads: PLAN.threads("pedersoli_vqvae")
    resources:
        mem_mb=PLAN.memory("pedersoli_vqvae"),
        runtime=PLAN.minutes("pedersoli_vqvae"),
        gpu=PLAN.gpus("pedersoli_vqvae"),
    params:
        config=PLAN.trained_with("pedersoli_vqvae"),
        code=PLAN.code("pedersoli_vqvae"),
    script:
        "../workflow_scripts/pedersoli_vqvae.py"
