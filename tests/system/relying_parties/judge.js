// judge.js LEAF-AND-ISSUER KEY ROOT CRLS: runs a TLS server with the certificate, and a client with
// the CRLs. Prints good, or the client's error.
const fs = require('fs');
const tls = require('tls');

const [chain, key, root, crls] = process.argv.slice(2).map((file) => fs.readFileSync(file, 'utf8'));
const server = tls.createServer({cert: chain, key}, (socket) => socket.end());
server.on('tlsClientError', () => {});
server.listen(0, '127.0.0.1', () => {
  const client = tls.connect({
    port: server.address().port,
    host: '127.0.0.1',
    ca: root,
    crl: crls.match(/-----BEGIN X509 CRL-----[^]*?-----END X509 CRL-----\n/g),
    checkServerIdentity: () => undefined,  // it has a SPIFFE ID and no host name
  });
  const end = (verdict) => {
    console.log(verdict);
    client.destroy();
    server.close();
  };
  client.on('secureConnect', () => end('good'));
  client.on('error', (error) => end(error.code));
});
