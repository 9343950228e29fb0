//! TLVs: bounded reading of DER and BER, and the few encoders that nothing else offers.
