"""Stand-ins for the vendors of models: their wire as their documents give it, with answers that the
name of the model decides. Written apart from the realm's own code, so that neither confirms the other's mistakes.
Holds no assertion about who calls; what was received is told at `GET /seen`."""
