// HubSpot's own client for Node (@hubspot/api-client): every family of endpoints that it has for the CRM.
// test_node_sdk.py runs it: node crm.mjs ADDRESS TOKEN USER_ID. It ends with "all is well", or with what is not.
import assert from 'node:assert/strict'

import hubspot from '@hubspot/api-client'

const [basePath, accessToken, userId] = process.argv.slice(2)
const { crm } = new hubspot.Client({ accessToken, basePath })

async function refused(promise, status, says) {
  const error = await promise.then(
    () => assert.fail('was not refused'),
    (error) => error,
  )
  assert.equal(error.code, status)
  assert.match(JSON.stringify(error.body), says)
}

async function records() {
  const ada = await crm.contacts.basicApi.create({ properties: { email: 'ada@example.com' }, associations: [] })
  assert.equal(ada.properties.email, 'ada@example.com')
  assert.ok(ada.createdAt instanceof Date && ada.archived === false)
  await refused(crm.contacts.basicApi.create({ properties: { email: 'ada@example.com' } }), 409, /Existing ID: \d+/)
  await refused(crm.contacts.basicApi.create({ properties: { nothing: '1' } }), 400, /PROPERTY_DOESNT_EXIST/)
  const found = await crm.contacts.basicApi.getById('ada@example.com', ['email'], [], [], false, 'email')
  assert.equal(found.id, ada.id)
  const changed = await crm.contacts.basicApi.update(ada.id, { properties: { city: 'Bern' } })
  assert.equal(changed.properties.city, 'Bern')
  const history = await crm.contacts.basicApi.getById(ada.id, [], ['city'])
  assert.equal(history.propertiesWithHistory.city[0].value, 'Bern')
  const bob = await crm.contacts.basicApi.create({ properties: { email: 'bob@example.com' }, associations: [] })
  const page = await crm.contacts.basicApi.getPage(1)
  assert.equal(page.paging.next.after, page.results[0].id)
  assert.equal((await crm.contacts.getAll()).length, 2)
  const merged = await crm.contacts.basicApi.merge({ primaryObjectId: ada.id, objectIdToMerge: bob.id })
  assert.equal(merged.id, ada.id)
  await crm.contacts.basicApi.archive(ada.id)
  await refused(crm.contacts.basicApi.getById(ada.id), 404, /resource not found/)
}

async function batches() {
  const inputs = ['a', 'b', 'c'].map((name) => ({ properties: { name, domain: `${name}.example` }, associations: [] }))
  const made = await crm.objects.batchApi.create('companies', { inputs })
  assert.equal(made.status, 'COMPLETE')
  const ids = made.results.map(({ id }) => ({ id }))
  const read = await crm.objects.batchApi.read('companies', {
    inputs: [...ids, { id: '999999' }],
    properties: ['name'],
    propertiesWithHistory: [],
  })
  assert.equal(read.numErrors, 1)
  assert.equal(read.errors[0].category, 'OBJECT_NOT_FOUND')
  const changed = await crm.objects.batchApi.update('companies', {
    inputs: ids.map(({ id }) => ({ id, properties: { city: 'Bern' } })),
  })
  assert.equal(changed.results[2].properties.city, 'Bern')
  const upserted = await crm.objects.batchApi.upsert('companies', {
    inputs: ['a.example', 'd.example'].map((id) => ({ id, idProperty: 'domain', properties: { city: 'Bonn' } })),
  })
  assert.deepEqual(upserted.results.map((each) => each._new), [false, true])
  const search = await crm.companies.searchApi.doSearch({
    filterGroups: [{ filters: [{ propertyName: 'city', operator: 'EQ', value: 'bern' }] }],
    sorts: ['-name'],
    properties: ['name'],
    limit: 1,
    after: '0',
  })
  assert.equal(search.total, 2)
  assert.equal(search.results[0].properties.name, 'c')
  assert.equal(search.paging.next.after, '1')
  await crm.objects.batchApi.archive('companies', { inputs: ids })
  assert.equal((await crm.companies.getAll()).length, 1)
}

async function properties() {
  await crm.properties.groupsApi.create('contacts', { name: 'mine', label: 'Mine', displayOrder: 1 })
  const hobby = { name: 'hobby', label: 'Hobby', groupName: 'mine', type: 'string', fieldType: 'text' }
  const made = await crm.properties.coreApi.create('contacts', hobby)
  assert.equal(made.groupName, 'mine')
  await refused(crm.properties.coreApi.create('contacts', hobby), 409, /Property named 'hobby' already exists/)
  assert.equal((await crm.properties.coreApi.update('contacts', 'hobby', { label: 'Hobbies' })).label, 'Hobbies')
  assert.equal((await crm.properties.coreApi.getByName('contacts', 'hobby')).label, 'Hobbies')
  assert.ok((await crm.properties.coreApi.getAll('contacts')).results.length > 10)
  const names = { inputs: [{ name: 'hobby' }], archived: false, dataSensitivity: 'non_sensitive' }
  assert.equal((await crm.properties.batchApi.read('contacts', names)).results.length, 1)
  await crm.properties.batchApi.archive('contacts', names)
  assert.equal((await crm.properties.batchApi.create('contacts', { inputs: [hobby] })).results[0].name, 'hobby')
  await crm.properties.coreApi.archive('contacts', 'hobby')
  assert.equal((await crm.properties.groupsApi.update('contacts', 'mine', { label: 'Ours' })).label, 'Ours')
  assert.equal((await crm.properties.groupsApi.getAll('contacts')).results.length, 2)
  await crm.properties.groupsApi.archive('contacts', 'mine')
}

async function schemas() {
  const made = await crm.schemas.coreApi.create({
    name: 'pet',
    labels: { singular: 'Pet', plural: 'Pets' },
    primaryDisplayProperty: 'pet_name',
    requiredProperties: ['pet_name'],
    properties: [{ name: 'pet_name', label: 'Name', type: 'string', fieldType: 'text' }],
    associatedObjects: ['CONTACT'],
  })
  assert.match(made.objectTypeId, /^2-\d+$/)
  assert.equal(made.fullyQualifiedName, 'p1_pet')
  const rex = await crm.objects.basicApi.create('p1_pet', { properties: { pet_name: 'Rex' }, associations: [] })
  assert.equal((await crm.objects.basicApi.getById('pet', rex.id)).properties.pet_name, 'Rex')
  assert.equal((await crm.schemas.coreApi.getAll()).results.length, 1)
  const labels = { singular: 'Animal', plural: 'Animals' }
  assert.equal((await crm.schemas.coreApi.update('pet', { labels, restorable: true })).labels.singular, 'Animal')
  const egg = { fromObjectTypeId: made.objectTypeId, toObjectTypeId: 'contact', name: 'pet_to_owner' }
  const association = await crm.schemas.coreApi.createAssociation('pet', egg)
  await crm.schemas.coreApi.archiveAssociation('pet', association.id)
  await crm.objects.basicApi.archive('pet', rex.id)
  await crm.schemas.coreApi.archive('pet')
  await refused(crm.schemas.coreApi.getById('pet'), 404, /OBJECT_NOT_FOUND/)
}

async function associations() {
  const contact = await crm.contacts.basicApi.create({ properties: { firstname: 'Cem' }, associations: [] })
  const company = await crm.companies.basicApi.create({ properties: { name: 'Alder' }, associations: [] })
  const { basicApi, batchApi, schema } = crm.associations.v4
  const standard = await basicApi.createDefault('contacts', contact.id, 'companies', company.id)
  assert.deepEqual(standard.results.map((each) => each.associationSpec.associationTypeId), [279, 280])
  const made = await schema.definitionsApi.create('contacts', 'companies', { label: 'Boss', name: 'boss' })
  const spec = { associationCategory: 'USER_DEFINED', associationTypeId: made.results[0].typeId }
  const labelled = await basicApi.create('contacts', contact.id, 'companies', company.id, [spec])
  assert.deepEqual(labelled.labels, ['Boss'])
  const page = await basicApi.getPage('contacts', contact.id, 'companies', undefined, 500)
  assert.equal(String(page.results[0].toObjectId), company.id)
  assert.deepEqual(page.results[0].associationTypes.map((each) => each.label), [null, 'Primary', 'Boss'])
  const pair = { _from: { id: contact.id }, to: { id: company.id } }
  const created = await batchApi.create('contacts', 'companies', { inputs: [{ ...pair, types: [spec] }] })
  assert.deepEqual(created.results[0].labels, ['Boss'])
  assert.equal((await batchApi.createDefault('contacts', 'companies', { inputs: [pair] })).status, 'COMPLETE')
  const read = await batchApi.getPage('contacts', 'companies', { inputs: [{ id: contact.id }, { id: '999999' }] })
  assert.equal(read.results[0].to.length, 1)
  assert.equal(read.errors[0].subCategory, 'crm.associations.NO_ASSOCIATIONS_FOUND')
  await refused(
    basicApi.createDefault('contacts', contact.id, 'companies', '999999'), 400, /One or more associations are invalid/,
  )
  await batchApi.archiveLabels('contacts', 'companies', { inputs: [{ ...pair, types: [spec] }] })
  await batchApi.archive('contacts', 'companies', { inputs: [{ _from: pair._from, to: [pair.to] }] })
  assert.deepEqual((await basicApi.getPage('contacts', contact.id, 'companies')).results, [])
  await basicApi.archive('contacts', contact.id, 'companies', company.id)
  await schema.definitionsApi.update('contacts', 'companies', {
    associationTypeId: spec.associationTypeId,
    label: 'Chief',
  })
  const labels = (await schema.definitionsApi.getAll('contacts', 'companies')).results.map((each) => each.label)
  assert.deepEqual(labels, [null, 'Primary', 'Chief'])
  await schema.definitionsApi.remove('contacts', 'companies', spec.associationTypeId)
  const old = { inputs: [{ ...pair, type: 'contact_to_company' }] }
  assert.equal((await crm.associations.batchApi.create('contacts', 'companies', old)).results.length, 1)
  const ids = { inputs: [{ id: contact.id }] }
  assert.equal((await crm.associations.batchApi.read('contacts', 'companies', ids)).results[0].to[0].id, company.id)
  assert.ok((await crm.associations.schema.typesApi.getAll('contacts', 'companies')).results.length)
  await crm.associations.batchApi.archive('contacts', 'companies', old)
}

async function others() {
  const client = new hubspot.Client({ accessToken: 'pat-na1-none', basePath })
  await refused(client.crm.contacts.basicApi.getPage(), 401, /INVALID_AUTHENTICATION/)
  const own = new hubspot.Client({ accessToken, basePath })
  const path = `/crm/v4/associations/usage/high-usage-report/${userId}`
  const answer = await own.apiRequest({ method: 'POST', path })
  assert.equal(answer.status, 200)
}

for (const part of [records, batches, properties, schemas, associations, others]) {
  await part()
  console.log(`${part.name}: well`)
}
console.log('all is well')
