use std::error::Error as StdError;

use crate::{PrivateKey, PublicKey, SignatureAlgorithm, rng};

/// A key that signs, wherever it is: a [`PrivateKey`], or one in a token, a module or a cloud that never gives it out.
///
/// What it signs has been checked already, and what it makes is verified before anything is made of it. Whoever would have to
/// wait for the signature takes the octets to be signed from a [`PreparedCertificate`](crate::PreparedCertificate) or a
/// [`PreparedRequest`](crate::PreparedRequest), and brings the signature back.
///
/// ```
/// use std::{error::Error, process::Command};
///
/// use pki::{PublicKey, SignatureAlgorithm, Signer};
///
/// /// A key that another program keeps.
/// struct Remote {
///     public_key: PublicKey,
/// }
///
/// impl Signer for Remote {
///     fn public_key(&self) -> &PublicKey {
///         &self.public_key
///     }
///
///     fn sign(
///         &self,
///         algorithm: SignatureAlgorithm,
///         message: &[u8],
///     ) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
///         // ... and give it the message.
///         let output = Command::new("sign-with-token").arg(algorithm.name()).output()?;
///         Ok(output.stdout)
///     }
/// }
/// ```
pub trait Signer {
    /// The public half of the key.
    fn public_key(&self) -> &PublicKey;

    /// The signature over `message`, which is not hashed yet: for RSA as long as the modulus, for ECDSA the SEQUENCE of two
    /// numbers in DER (RFC 3279, section 2.2.3), for Ed25519 64 octets.
    ///
    /// # Errors
    /// Whatever happens; also when the key can't sign with this algorithm.
    fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>>;
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        self.public_key()
    }

    fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>> {
        Ok(PrivateKey::sign(
            self,
            algorithm,
            message,
            &mut rng::system()?,
        )?)
    }
}
