#!/bin/bash
# A sweep as an array of jobs: sbatch examples/slurm-array.sh GRID FOLDER
# Repeat it after a failure: what is finished is not run again. One job of it again:
#   SHARDS=16 sbatch --array=3 examples/slurm-array.sh GRID FOLDER
# FOLDER must be on a disk that all machines share. Set PATOM to the program, and PATOM_DATA to the folder
# of the data sets.
#SBATCH --job-name=patom
#SBATCH --array=1-16
#SBATCH --cpus-per-task=4
#SBATCH --time=00:30:00
#SBATCH --output=patom-%A-%a.log
set -eu
grid=${1:?the grid, a JSON file}
folder=${2:?the folder of the results}
exec "${PATOM:-patom}" sweep "$grid" --out "$folder" \
  --shard "$SLURM_ARRAY_TASK_ID/${SHARDS:-$SLURM_ARRAY_TASK_COUNT}" \
  --threads "${SLURM_CPUS_PER_TASK:-1}"
