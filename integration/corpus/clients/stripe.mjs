// What the Stripe SDK sends, one operation a line.
import Stripe from 'stripe'

const stripe = new Stripe(process.env.STRIPE_API_KEY, { httpClient: Stripe.createFetchHttpClient() })

export default {
  customer: () => stripe.customers.create({ email: 'a@example.com', metadata: { order: '17' } }),
  'customer list': () => stripe.customers.list({ limit: 3 }),
  'customer search': () => stripe.customers.search({ query: "email:'a@example.com'" }),
  'customer delete': () => stripe.customers.del('cus_1'),
  charge: () => stripe.charges.create({ amount: 2000, currency: 'eur', source: 'tok_visa', description: 'Order 17' }),
  refund: () => stripe.refunds.create({ charge: 'ch_1', amount: 500, reason: 'requested_by_customer' }, { idempotencyKey: 'refund-17' }),
  'payment intent': () => stripe.paymentIntents.create({ amount: 2000, currency: 'eur', customer: 'cus_1', automatic_payment_methods: { enabled: true } }),
  'payment intent, at once': () => stripe.paymentIntents.create({ amount: 2000, currency: 'eur', payment_method: 'pm_card_visa', confirm: true, off_session: true }),
  transfer: () => stripe.transfers.create({ amount: 700, currency: 'usd', destination: 'acct_2' }),
  'payout of another account': () => stripe.payouts.create({ amount: 900, currency: 'usd' }, { stripeAccount: 'acct_2' }),
  subscription: () => stripe.subscriptions.create({ customer: 'cus_1', items: [{ price: 'price_1', quantity: 2 }] }),
  'subscription, ended later': () => stripe.subscriptions.update('sub_1', { cancel_at_period_end: true }),
  'subscription cancel': () => stripe.subscriptions.cancel('sub_1'),
  'invoice pay': () => stripe.invoices.pay('in_1'),
  'webhook endpoint': () => stripe.webhookEndpoints.create({ url: 'https://hooks.example.com/a', enabled_events: ['charge.failed'] }),
}
