/** Reads the token of InfluxDB. A separate bundle, because it has the SDK's client for Secrets Manager. */
export { fetchSecret } from '../clients/secrets';
