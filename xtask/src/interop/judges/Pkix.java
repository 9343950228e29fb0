import java.io.FileInputStream;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Set;

/** Java's PKIX validator (RFC 5280) as a judge: Pkix.java TRUST CHAIN, where CHAIN is the leaf and its issuers without the root. */
class Pkix {
    public static void main(String[] arguments) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate root = (X509Certificate) factory.generateCertificate(new FileInputStream(arguments[0]));
        var chain = new ArrayList<Certificate>(factory.generateCertificates(new FileInputStream(arguments[1])));
        CertPath path = factory.generateCertPath(chain);
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        parameters.setRevocationEnabled(false); // there are no revocation lists here
        System.out.println(CertPathValidator.getInstance("PKIX").validate(path, parameters));
    }
}
