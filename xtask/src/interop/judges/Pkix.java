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

/**
 * Java's PKIX validator (RFC 5280) as a judge: Pkix.java TRUST CHAIN..., where each CHAIN is a leaf and its issuers without the
 * root. A line for each, and a failure if one is refused.
 */
class Pkix {
    public static void main(String[] arguments) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate root = (X509Certificate) factory.generateCertificate(new FileInputStream(arguments[0]));
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        parameters.setRevocationEnabled(false); // there are no revocation lists here
        int refused = 0;
        for (int i = 1; i < arguments.length; i++) {
            try {
                var chain = new ArrayList<Certificate>(factory.generateCertificates(new FileInputStream(arguments[i])));
                CertPath path = factory.generateCertPath(chain);
                CertPathValidator.getInstance("PKIX").validate(path, parameters);
                System.out.println(arguments[i] + ": accepted");
            } catch (Exception error) {
                refused++;
                System.out.println(arguments[i] + ": refused: " + error.toString().replace('\n', ' '));
            }
        }
        System.exit(refused == 0 ? 0 : 1);
    }
}
