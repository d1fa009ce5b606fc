import java.io.FileInputStream;
import java.net.URI;
import java.security.cert.*;
import java.util.*;

/** Judge ocsp|crl LEAF ISSUER ROOT: follows the certificates' pointers; prints good, or the fault. */
public class Judge {
  public static void main(String[] words) throws Exception {
    System.setProperty("com.sun.security.enableCRLDP", "true");
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    List<X509Certificate> all = new ArrayList<>();
    for (int i = 1; i < 4; i++) {
      try (FileInputStream in = new FileInputStream(words[i])) {
        all.add((X509Certificate) factory.generateCertificate(in));
      }
    }
    CertPathValidator validator = CertPathValidator.getInstance("PKIX");
    PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
    Set<PKIXRevocationChecker.Option> options =
        EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK);
    if (words[0].equals("crl")) options.add(PKIXRevocationChecker.Option.PREFER_CRLS);
    checker.setOptions(options);
    PKIXParameters parameters =
        new PKIXParameters(Collections.singleton(new TrustAnchor(all.get(2), null)));
    parameters.addCertPathChecker(checker);
    try {
      validator.validate(factory.generateCertPath(all.subList(0, 2)), parameters);
      System.out.println("good");
    } catch (CertPathValidatorException e) {
      System.out.println(e.getReason() + ": " + e.getMessage());
    }
  }
}
