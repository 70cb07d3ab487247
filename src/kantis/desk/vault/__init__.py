"""The vault: personal data of members, under a key per member, and nowhere else."""
