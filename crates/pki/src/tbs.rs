//! Lays out to-be-signed structures with rcgen, splices names and keys in, and assembles the signed result.
